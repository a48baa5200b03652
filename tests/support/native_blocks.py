"""Reads blocks of ClickHouse's Native format back, by the description of the format and value by value."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = {"UInt8": "<B", "Int8": "<b", "UInt32": "<I", "UInt64": "<Q", "Int64": "<q", "Float64": "<d"}


class BlockReader:
    """Args: `block`, one whole block."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._at = 0

    def rows(self) -> list[dict[str, Any]]:
        """The rows; every byte of the block is read."""
        columns, rows = self._length(), self._length()
        found = {}
        for _ in range(columns):
            name = self._text()
            found[name] = self._column(self._text(), rows)
        assert self._at == len(self._block)
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]

    def _column(self, kind: str, rows: int) -> list[Any]:
        if kind.startswith("Nullable("):
            null = self._numbers("UInt8", rows)
            return [
                None if is_null else value for is_null, value in zip(null, self._column(kind[9:-1], rows), strict=True)
            ]
        if kind.startswith("Array("):
            ends = self._numbers("UInt64", rows)
            values = self._column(kind[6:-1], ends[-1] if ends else 0)
            return [values[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
        if kind.startswith("Tuple("):
            names, kinds = zip(*(part.split(" ") for part in kind[6:-1].split(", ")), strict=True)
            parts = [self._column(inner, rows) for inner in kinds]
            return [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
        if kind.startswith("Enum8("):
            names_by_number = {int(part.split(" = ")[1]): part.split("'")[1] for part in kind[6:-1].split(", ")}
            return [names_by_number[number] for number in self._numbers("Int8", rows)]
        if kind.startswith("DateTime64(3"):
            return [_EPOCH + timedelta(milliseconds=ms) for ms in self._numbers("Int64", rows)]
        if kind in _NUMBERS:
            return self._numbers(kind, rows)
        one: Callable[[], Any] = {"String": self._text, "UUID": self._uuid}[kind]
        return [one() for _ in range(rows)]

    def _numbers(self, kind: str, rows: int) -> list[Any]:
        width = struct.calcsize(_NUMBERS[kind])
        return [struct.unpack(_NUMBERS[kind], self._take(width))[0] for _ in range(rows)]

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self._take(8)[::-1] + self._take(8)[::-1]))

    def _text(self) -> str:
        return self._take(self._length()).decode()

    def _length(self) -> int:
        length = shift = 0
        while True:
            byte = self._take(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return length

    def _take(self, width: int) -> bytes:
        taken = self._block[self._at : self._at + width]
        assert len(taken) == width
        self._at += width
        return taken
