"""multipart/form-data: parameters that are too long for an address, and the data of external tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.embedded.clickhouse.errors import BAD_ARGUMENTS, ServerError
from infra.embedded.clickhouse.sqltext import tokens

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(rb"(?:^|[;\s])filename\*?=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """Data that a query can use like a table.

    Attributes:
        structure: names and types of its columns, as in CREATE TABLE.
        format: of the data.
    """

    name: str
    structure: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, and its files by name."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]

    def tables(self, names: Mapping[str, str]) -> list[ExternalTable]:
        """The files as tables, described by the parameters `NAME_structure` or `NAME_types`, and `NAME_format`.

        Raises:
            ServerError: a file without a description of its columns.
        """
        found = []
        for name, data in self.files.items():
            structure = names.get(f"{name}_structure") or _columns(names.get(f"{name}_types", ""))
            if not structure:
                raise ServerError(
                    BAD_ARGUMENTS,
                    f"Neither structure nor types are provided for the external table {name}. Use the fields "
                    f"{name}_structure or {name}_types",
                    "BAD_ARGUMENTS",
                )
            found.append(ExternalTable(name, structure, names.get(f"{name}_format", "TabSeparated"), data))
        return found


def parse_form(content_type: str, body: bytes) -> Form:
    """Take a form apart (RFC 7578); the parts' bytes are kept as they are.

    Raises:
        ServerError: no boundary, or a part without a name.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise ServerError(BAD_ARGUMENTS, "multipart/form-data without a boundary", "BAD_ARGUMENTS")
    mark = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(mark)[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        disposition = next(
            (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition")), b""
        )
        name = _NAME.search(disposition)
        if name is None:
            raise ServerError(BAD_ARGUMENTS, "a part of the form has no name", "BAD_ARGUMENTS")
        key = name[1].decode("utf-8", "surrogateescape")
        if _FILE.search(disposition):
            files[key] = content
        else:
            fields[key] = content.decode("utf-8", "surrogateescape")
    return Form(fields, files)


def _columns(types: str) -> str:
    """`T1,T2` as `_1 T1, _2 T2`; commas within brackets belong to a type."""
    raw = types.encode()
    cuts = [token.begin for token in tokens(raw) if token.text == "," and token.depth == 0]
    if not raw.strip():
        return ""
    starts = [0, *(cut + 1 for cut in cuts)]
    ends = [*cuts, len(raw)]
    pieces = [raw[start:end].decode().strip() for start, end in zip(starts, ends, strict=True)]
    return ", ".join(f"_{number} {piece}" for number, piece in enumerate(pieces, 1))
