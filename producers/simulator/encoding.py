"""Numbers to text without a loop over records: rows of bytes, put together column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Text: TypeAlias = NDArray[np.uint8]
"""Shape (n, width): n texts of the same width."""

Ints: TypeAlias = NDArray[np.int64]

_DAY_MS: Final = 86_400_000


def texts(values: Sequence[str]) -> Text:
    """Texts of the same width, as rows.

    Raises:
        ValueError: they differ in width.
    """
    encoded = [value.encode() for value in values]
    width = len(encoded[0]) if encoded else 0
    if any(len(value) != width for value in encoded):
        raise ValueError("rows of text must have the same width")
    return np.frombuffer(b"".join(encoded), np.uint8).reshape(len(encoded), width)


_HEX: Final = texts([f"{number:02x}" for number in range(256)]).view(np.uint16).ravel()
_TWO: Final = texts([f"{number:02d}" for number in range(100)])
_THREE: Final = texts([f"{number:03d}" for number in range(1000)])


def hex_text(raw: NDArray[np.uint8]) -> Text:
    """Bytes (n, k) as hex digits (n, 2k)."""
    return _HEX.take(raw).view(np.uint8)


def two_digits(numbers: NDArray[Any]) -> Text:
    """Numbers below 100, with a leading zero."""
    rows: Text = _TWO[numbers]
    return rows


def by_unique(numbers: Ints, to_text: Callable[[int], str]) -> Text:
    """Text of numbers of which few are different."""
    unique, inverse = np.unique(numbers, return_inverse=True)
    return texts([to_text(int(number)) for number in unique])[inverse]


def time_text(at_ms: Ints) -> Text:
    """RFC 3339 in UTC with milliseconds, 24 characters, from milliseconds since 1970."""
    day, rest = np.divmod(at_ms, _DAY_MS)
    seconds, millis = np.divmod(rest, 1000)
    minutes, seconds = np.divmod(seconds, 60)
    hours, minutes = np.divmod(minutes, 60)
    rows = np.empty((len(at_ms), 24), np.uint8)
    rows[:] = np.frombuffer(b"0000-00-00T00:00:00.000Z", np.uint8)
    rows[:, :10] = by_unique(day, lambda number: datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d"))
    rows[:, 11:13] = _TWO[hours]
    rows[:, 14:16] = _TWO[minutes]
    rows[:, 17:19] = _TWO[seconds]
    rows[:, 20:23] = _THREE[millis]
    return rows


def uuid7_text(at_ms: Ints, random: NDArray[np.uint8]) -> Text:
    """UUIDv7 (RFC 9562, section 5.7) of times and random bytes (n, 10), 36 characters; as `schemas.ids.uuid7`."""
    raw = np.empty((len(at_ms), 16), np.uint8)
    raw[:, :6] = at_ms.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    raw[:, 6:] = random
    raw[:, 6] = raw[:, 6] & 0x0F | 0x70
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = hex_text(raw)
    rows = np.full((len(at_ms), 36), ord("-"), np.uint8)
    for begin, end, place in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        rows[:, place : place + end - begin] = digits[:, begin:end]
    return rows


def side_by_side(count: int, parts: Sequence[bytes | Text]) -> Text:
    """`count` rows, each the parts in order: bytes are the same in every row, a `Text` has one row each."""
    width = sum(len(part) if isinstance(part, bytes) else part.shape[1] for part in parts)
    rows = np.empty((count, width), np.uint8)
    place = 0
    for part in parts:
        columns = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        rows[:, place : place + columns.shape[-1]] = columns
        place += columns.shape[-1]
    return rows


def join(count: int, parts: Sequence[bytes | Text]) -> list[bytes]:
    """As `side_by_side`, as byte strings. The last byte must never be NUL (numpy strips those)."""
    if count == 0:
        return []
    rows = side_by_side(count, parts)
    found: list[bytes] = rows.view(f"S{rows.shape[1]}").ravel().tolist()
    return found
