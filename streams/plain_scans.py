"""Scans taken in as columns: what decides a visit is looked at column by column, what does not is only copied.

A time is read by the column too, where it is written in UTC, in seconds, milliseconds or microseconds. A scan with a
time in another form, and whatever is bad, is left to `streams.intake`, one by one; nothing is rejected here. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from msgspec.structs import force_setattr

from schemas.fast import FastDecoder, encode_lines
from schemas.scan import Scan

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_DECODER: Final = FastDecoder(Scan, times_as_text=True)
_FORM: Final = "0000-00-00T00:00:00.000000Z"
_WIDTH: Final = len(_FORM)
_SECONDS, _MILLISECONDS = len("2026-01-01T00:00:00Z"), len("2026-01-01T00:00:00.000Z")
_IS_DIGIT: Final = np.array([character == "0" for character in _FORM])
_ASKED: Final = np.frombuffer(_FORM.encode(), np.uint8)
_TENS: Final = np.array([100_000, 10_000, 1000, 100, 10, 1])
_UNREAD: Final = "?"


@dataclass(frozen=True, slots=True)
class PlainScans:
    """Columns of equal length, one entry a scan that is good but for its time.

    Attributes:
        positions: within the batch, ascending.
        scans: as decoded, but that `scanned_at` is what `times` holds.
        heads: the scan as `schemas.fast.encode` writes it, without its last brace.
        tokens, venue_ids, directions: of the scan.
        times: `scanned_at` as `encode` writes it.
        at_ms: `scanned_at` in epoch milliseconds, rounded down.
        read: where the time was read; elsewhere the last two, and the head, mean nothing.
    """

    positions: Sequence[int]
    scans: Sequence[Scan]
    heads: Sequence[str]
    tokens: Sequence[str]
    venue_ids: Sequence[str]
    directions: Sequence[str]
    times: Sequence[str]
    at_ms: Ints
    read: Mask

    def __len__(self) -> int:
        return len(self.heads)


_NONE: Final = PlainScans((), (), (), (), (), (), (), np.empty(0, np.int64), np.empty(0, np.bool_))


def read_plain(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> PlainScans:
    """The scans of a batch that are good but for their time, and lie under their person token as the key."""
    positions: Sequence[int] = range(len(values))
    scans: Sequence[Scan] | None = _DECODER.decode_batch(values)
    if scans is None:
        found = _DECODER.decode_good(values)
        positions = [at for at, scan in enumerate(found) if scan is not None]
        scans = [scan for scan in found if scan is not None]
    tokens = [scan.person_token for scan in scans]
    if not _are_keys([keys[at] for at in positions] if len(positions) < len(keys) else keys, tokens):
        own = [index for index, at in enumerate(positions) if keys[at] == tokens[index].encode()]
        positions, scans, tokens = ([column[index] for index in own] for column in (positions, scans, tokens))  # type: ignore[assignment]
    if not scans:
        return _NONE
    written = cast("list[str]", [scan.scanned_at for scan in scans])
    times, at_ms, read = _times(written)
    if times is not written:
        for scan, time, before in zip(scans, times, written, strict=True):
            if time is not before:
                force_setattr(cast(Any, scan), "scanned_at", time)
    return PlainScans(
        positions,
        scans,
        encode_lines(scans).decode().split("}\n")[:-1],
        tokens,
        [scan.venue_id for scan in scans],
        [scan.direction for scan in scans],
        times,
        at_ms,
        read,
    )


def _are_keys(keys: Sequence[bytes | None], tokens: Sequence[str]) -> bool:
    """Whether every key is the token: all tokens are equally long, so joined they tell."""
    if None in keys or not tokens:
        return not tokens
    known = cast("Sequence[bytes]", keys)
    return set(map(len, known)) == {len(tokens[0])} and b"".join(known) == "".join(tokens).encode()


def _times(texts: list[str]) -> tuple[list[str], Ints, Mask]:
    """Times as `encode` writes them, in epoch milliseconds, and which of them were read.

    Returns the very texts where these are in microseconds and none is a whole second.
    """
    wide = texts
    if not {_WIDTH}.issuperset(map(len, texts)):
        wide = [text if len(text) == _WIDTH else _widened(text) for text in texts]
    joined = "".join(wide)
    if not joined.isascii():
        wide = [text if text.isascii() else _UNREAD * _WIDTH for text in wide]
        joined = "".join(wide)
    characters = np.frombuffer(joined.encode(), np.uint8).reshape(len(wide), _WIDTH)
    digits = characters - ord("0")
    read = np.where(_IS_DIGIT, digits <= 9, characters == _ASKED).all(axis=1)
    numbers = digits.astype(np.int64)
    two = numbers[:, :-1] * 10 + numbers[:, 1:]
    year, month, day = two[:, 0] * 100 + two[:, 2], two[:, 5], two[:, 8]
    hour, minute, second = two[:, 11], two[:, 14], two[:, 17]
    months = (year - 1970) * 12 + month - 1
    first = _first_day(months)
    read &= (year >= 1970) & (year < 2100) & (month >= 1) & (month <= 12)
    read &= (day >= 1) & (day <= _first_day(months + 1) - first) & (hour < 24) & (minute < 60) & (second < 60)
    microseconds = numbers[:, _SECONDS:-1] @ _TENS
    minutes = ((first + day - 1) * 24 + hour) * 60 + minute
    at_ms = np.where(read, minutes * 60_000 + second * 1000 + microseconds // 1000, 0)
    whole = (microseconds == 0).nonzero()[0].tolist()
    if whole:
        wide = list(wide)
        for at in whole:
            wide[at] = wide[at][: _SECONDS - 1] + "Z"
    return wide, at_ms, read


def _widened(text: str) -> str:
    """A time in another form with six digits of a fraction; of another width than a time has, what is none."""
    if len(text) == _MILLISECONDS:
        return text[:-1] + "000Z"
    return text[:-1] + ".000000Z" if len(text) == _SECONDS else _UNREAD * _WIDTH


def _first_day(months: Ints) -> Ints:
    """Days since 1970 of the first day of each month, months counted since 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)
