"""The forms an answer can be printed in: text, JSON, CSV, Parquet, Arrow."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

import typer

from infra.cli.common import print_json
from schemas.base import format_timestamp
from schemas.errors import ConfigurationError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

CsvFlag = Annotated[bool, typer.Option("--csv", help="Print CSV that is safe to open in a spreadsheet.")]
ParquetFlag = Annotated[bool, typer.Option("--parquet", help="Write a Parquet file to standard output.")]
ArrowFlag = Annotated[bool, typer.Option("--arrow", help="Write an Arrow stream to standard output.")]


class Form(Enum):
    """How an answer is printed; TEXT is the verb's own table."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


def chosen_form(as_json: bool = False, as_csv: bool = False, as_parquet: bool = False, as_arrow: bool = False) -> Form:
    """The form that the flags ask for.

    Raises:
        typer.BadParameter: more than one is asked for, or a binary one on a terminal.
        ConfigurationError: the form needs a library that is not installed.
    """
    flags = {Form.JSON: as_json, Form.CSV: as_csv, Form.PARQUET: as_parquet, Form.ARROW: as_arrow}
    asked = [form for form, wanted in flags.items() if wanted]
    if len(asked) > 1:
        raise typer.BadParameter("choose one of --json, --csv, --parquet and --arrow")
    if not asked:
        return Form.TEXT
    if asked[0] in (Form.PARQUET, Form.ARROW):
        if sys.stdout.isatty():
            raise typer.BadParameter(f"--{asked[0].value} is not for a terminal: add `> answer.{asked[0].value}`")
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise ConfigurationError(f"--{asked[0].value} needs pyarrow: install venuecode[analysis]") from None
    return asked[0]


def print_rows(form: Form, kind: type[Any], rows: Sequence[Any], name: str, about: Mapping[str, Any]) -> None:
    """Print rows of a dataclass in any form but TEXT.

    Args:
        kind: the dataclass; its annotations give the columns also where there are no rows.
        name: under which the rows appear in the JSON document.
        about: what else the JSON document says, before the rows; in Parquet and Arrow the schema's metadata, as JSON
            under `venuecode`.
    """
    if form is Form.JSON:
        print_json({**{key: plain(value) for key, value in about.items()}, name: as_dicts(rows)})
    elif form is Form.CSV:
        _print_csv(kind, rows)
    else:
        _write_arrow(form, kind, rows, about)


def as_dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Dataclass rows as JSON takes them: times as RFC 3339 in UTC."""
    return [{name: plain(value) for name, value in dataclasses.asdict(row).items()} for row in rows]


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection): led by an apostrophe where it might."""
    return "'" + text if text.startswith(_FORMULA) else text


def plain(value: Any) -> Any:
    """A value as JSON takes it: times as RFC 3339 in UTC."""
    return format_timestamp(value.astimezone(UTC)) if isinstance(value, datetime) else value


def _print_csv(kind: type[Any], rows: Iterable[Any]) -> None:
    """A header and a line for each row; lists are joined by blanks."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = [field.name for field in dataclasses.fields(kind)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in names])
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(str(item) for item in value)
    value = plain(value)
    return defused(value) if isinstance(value, str) else value


def _write_arrow(form: Form, kind: type[Any], rows: Sequence[Any], about: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    schema = pa.schema([pa.field(name, _arrow_type(hints[name])) for name in names])
    schema = schema.with_metadata({"venuecode": json.dumps({key: plain(value) for key, value in about.items()})})
    table = pa.table({name: [getattr(row, name) for row in rows] for name in names}, schema=schema)
    # Through memory: a Parquet file ends with its index, and a pipe cannot be written twice.
    sink = pa.BufferOutputStream()
    if form is Form.PARQUET:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, schema) as stream:
            stream.write_table(table)
    sys.stdout.buffer.write(sink.getvalue())
    sys.stdout.buffer.flush()


def _arrow_type(hint: Any) -> Any:
    import pyarrow as pa

    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is list:
        return pa.list_(_arrow_type(typing.get_args(hint)[0]))
    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return pa.timestamp("ms", tz="UTC") if hint is datetime else kinds[hint]
