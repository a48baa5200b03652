"""Scans taken in as columns, without decoding them: those that are written as `schemas.fast.encode` writes a scan.

All that our own producers send are, and a decoded record costs several times what its copied text does. What is written
in another way, or is bad, is left to `streams.intake`, record by record; nothing is rejected here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from schemas.canonical import canonical_values
from schemas.scan import Scan

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MICROSECONDS_AT: Final = 20
_WIDTH: Final = len("2026-01-01T00:00:00.000000Z")
_TENS: Final = np.array([100_000, 10_000, 1000, 100, 10, 1])


def _line() -> re.Pattern[str]:
    """One line: what stands before the time, token, venue, the time, what stands after it, direction; or nothing."""
    values = canonical_values(Scan)
    for name in ("person_token", "venue_id", "direction"):
        values[name] = f'"({values[name][1:-1]})"'
    names = list(values)
    at = names.index("scanned_at")
    before, after = (",".join(f'"{name}":{values[name]}' for name in part) for part in (names[:at], names[at + 1 :]))
    return re.compile(rf'(?:(\{{{before},"scanned_at":")({values["scanned_at"][1:-1]})(",{after})\}}|.*)\n', re.ASCII)


_LINE: Final = _line()


@dataclass(frozen=True, slots=True)
class PlainScans:
    """Columns of equal length, one entry a plain scan.

    Attributes:
        positions: within the batch, ascending.
        before, times, after: the scan as `schemas.fast.encode` writes it, without its last brace, in three parts; the
            middle one is `scanned_at`.
        tokens, venue_ids, directions: as they stand in the scan.
        at_ms: `scanned_at` in epoch milliseconds, rounded down.
        no_such_day: true where the month of `scanned_at` does not have the day: not a scan at all.
    """

    positions: Sequence[int]
    before: Sequence[str]
    times: Sequence[str]
    after: Sequence[str]
    tokens: Sequence[str]
    venue_ids: Sequence[str]
    directions: Sequence[str]
    at_ms: Ints
    no_such_day: Mask

    def __len__(self) -> int:
        return len(self.before)


_NONE: Final = PlainScans((), (), (), (), (), (), (), np.empty(0, np.int64), np.empty(0, np.bool_))


def read_plain(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> PlainScans:
    """The plain scans of a batch: written as `encode` does, and under their person token as the key."""
    rows = _LINE.findall(_lines(values))
    positions: Sequence[int] = range(len(rows))
    if not _all_plain(rows, keys):
        positions = [at for at, row in enumerate(rows) if row[0] and keys[at] == row[1].encode()]
        rows = [rows[at] for at in positions]
    if not rows:
        return _NONE
    before, tokens, venue_ids, raw_times, after, directions = zip(*rows, strict=True)
    times, at_ms, no_such_day = _times(raw_times)
    return PlainScans(positions, before, times, after, tokens, venue_ids, directions, at_ms, no_such_day)


def _lines(values: Sequence[bytes | None]) -> str:
    """One line for every value; an empty one where the value cannot be a plain scan."""
    try:
        text = (b"\n".join(cast("Sequence[bytes]", values)) + b"\n").decode()
        if text.count("\n") == len(values):
            return text
    except (TypeError, UnicodeDecodeError):
        pass
    clean = [b"" if value is None or b"\n" in value else value for value in values]
    # Bytes that are no UTF-8 become characters that no plain scan holds.
    return (b"\n".join(clean) + b"\n").decode(errors="surrogateescape")


def _all_plain(rows: Sequence[tuple[str, ...]], keys: Sequence[bytes | None]) -> bool:
    """Whether every row is a scan under its own key: all tokens are equally long, so joined they tell."""
    tokens = [row[1] for row in rows]
    if "" in tokens or None in keys:
        return False
    known = cast("Sequence[bytes]", keys)
    return set(map(len, known)) == {len(tokens[0])} and b"".join(known) == "".join(tokens).encode()


def _times(texts: Sequence[str]) -> tuple[Sequence[str], Ints, Mask]:
    """Times as `encode` writes them, in epoch milliseconds, and which of them are on a day that does not exist."""
    if not {_WIDTH}.issuperset(map(len, texts)):
        texts = [_widened(text) for text in texts]
    digits: npt.NDArray[Any] = np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), _WIDTH) - ord("0")
    wide = digits.astype(np.int64)
    two = wide[:, :-1] * 10 + wide[:, 1:]
    months = (two[:, 0] * 100 + two[:, 2] - 1970) * 12 + two[:, 5] - 1
    first = _first_day(months)
    day = two[:, 8] - 1
    no_such_day = day >= _first_day(months + 1) - first
    microseconds = wide[:, _MICROSECONDS_AT:-1] @ _TENS
    seconds = ((first + day) * 24 + two[:, 11]) * 3600 + two[:, 14] * 60 + two[:, 17]
    whole = np.flatnonzero(microseconds == 0)
    if len(whole):
        texts = list(texts)
        for at in whole.tolist():
            texts[at] = texts[at][: _MICROSECONDS_AT - 1] + "Z"
    return texts, seconds * 1000 + microseconds // 1000, no_such_day


def _widened(text: str) -> str:
    """A time with six digits of a fraction."""
    if len(text) == _WIDTH:
        return text
    return text[:-1] + "000Z" if len(text) == _WIDTH - 3 else text[:-1] + ".000000Z"


def _first_day(months: Ints) -> Ints:
    """Days since 1970 of the first day of each month, months counted since 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)
