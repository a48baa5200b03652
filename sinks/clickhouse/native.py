"""Columns in ClickHouse's Native format: what the server takes in without parsing. Pure.

The format is described with ClickHouse's interfaces ("Native"), revision 0, which HTTP uses: a block is the number of
its columns and rows, and of each column the name, the type, and all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.side_by_side import Lines, Span
from schemas.utc_times import Ints, Mask

_LONGEST: Final = 127
"""The length of a longer text takes two bytes."""
_UP_TO: Final = np.tri(_LONGEST + 1, dtype=np.bool_).view(f"V{_LONGEST + 1}")[:, 0]
"""Which bytes of a text count, its length before it, for each length."""


class Block:
    """Args: `rows`, how many there are in each column."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._columns = 0
        self._parts: list[bytes] = []

    def add(self, name: str, kind: str, *values: bytes) -> None:
        """A column: its name and type, and all values as the type lays them out."""
        self._columns += 1
        self._parts += [text(name), text(kind), *values]

    def joined(self) -> bytes:
        """The block as it is sent."""
        return b"".join([number(self._columns), number(self._rows), *self._parts])


def number(value: int) -> bytes:
    """A length: seven bits a byte, the lowest first."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def text(value: str) -> bytes:
    """A text behind its length."""
    encoded = value.encode()
    return number(len(encoded)) + encoded


def integers(values: npt.NDArray[Any], kind: str) -> bytes:
    """Integers or floats of one width, `kind` as numpy names it."""
    return values.astype(f"<{kind}").tobytes()


def enumerated(names: Sequence[str], which: npt.NDArray[Any]) -> tuple[str, bytes]:
    """The type of a closed list, whose names count from one, and values of it: `which` name, counted from nought."""
    kind = ", ".join(f"'{name}' = {number}" for number, name in enumerate(names, 1))
    return f"Enum8({kind})", integers(which + 1, "i1")


def nullable(null: Mask, values: bytes) -> tuple[bytes, bytes]:
    """The values of a nullable column; what stands where it is null does not matter."""
    return null.tobytes(), values


def cut(lines: Lines, span: Span, missing: Mask | None = None) -> bytes:
    """Texts of less than 128 bytes out of lines, empty where missing; none begins a line."""
    widths: Ints = span.end - span.begin
    if missing is not None:
        widths = np.where(missing, 0, widths)
    longest = int(widths.max(initial=0))
    if not longest:
        return bytes(len(widths))
    table = lines.characters(np.maximum(span.begin - 1, 0), longest + 1)
    table[:, 0] = widths
    if int(widths.min(initial=longest)) == longest:
        return table.tobytes()
    kept: npt.NDArray[np.uint8] = table[_UP_TO[widths].view(np.bool_).reshape(-1, _LONGEST + 1)[:, : longest + 1]]
    return kept.tobytes()


def some_lists(rows: int, where: Sequence[int], lists: Sequence[Sequence[str]]) -> tuple[bytes, bytes]:
    """Arrays of texts that are empty but for a few rows, in ascending order."""
    lengths = np.zeros(rows, np.uint64)
    lengths[list(where)] = [len(values) for values in lists]
    return np.cumsum(lengths).astype("<u8").tobytes(), b"".join(text(value) for values in lists for value in values)


def uuids(hexadecimal: bytes) -> bytes:
    """UUIDs of 32 hex digits each, joined: two integers of eight bytes, each the other way round."""
    return np.frombuffer(bytes.fromhex(hexadecimal.decode()), ">u8").astype("<u8").tobytes()
