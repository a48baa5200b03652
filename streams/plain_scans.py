"""Scans taken in as columns: what decides a visit is looked at column by column, what does not is only copied.

A time is read by the column too, where it is written in UTC, in seconds, milliseconds or microseconds. A scan with a
time in another form, and whatever is bad, is left to `streams.intake`, one by one; nothing is rejected here. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
from msgspec.structs import force_setattr

from schemas.fast import FastDecoder, encode_lines
from schemas.scan import Scan
from schemas.utc_times import FORM, MILLISECOND, SECONDS_AT, WHOLE_SECOND, Characters, Ints, Mask, read_times
from streams.canonical_scans import read_canonical
from streams.scan_columns import ScanColumns

_DECODER: Final = FastDecoder(Scan, times_as_text=True)
_WIDTH: Final = len(FORM)
_UNREAD: Final = "?"


def read_plain(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> list[ScanColumns]:
    """The scans of a batch that are good but for their time, and lie under their person token as the key.

    Of what is not canonical a few may be left out, good ones too (`streams.canonical_scans.FEW`).
    """
    canonical = read_canonical(keys, values)
    if len(canonical) == len(values):
        return [canonical]
    left = np.delete(np.arange(len(values)), canonical.positions).tolist()
    decoded = _read_decoded(left, [keys[at] for at in left], [values[at] for at in left])
    return [columns for columns in (canonical, decoded) if columns is not None and len(columns)]


def _read_decoded(
    left: Sequence[int], keys: Sequence[bytes | None], values: Sequence[bytes | None]
) -> ScanColumns | None:
    """Of scans at some positions those that are good but for their time, with any spelling of what they say."""
    positions = left
    scans: Sequence[Scan] | None = _DECODER.decode_batch(values)
    if scans is None:
        found = _DECODER.decode_good(values)
        good = [index for index, scan in enumerate(found) if scan is not None]
        positions, keys = [left[index] for index in good], [keys[index] for index in good]
        scans = [scan for scan in found if scan is not None]
    tokens = [scan.person_token for scan in scans]
    if not _are_keys(keys, tokens):
        own = [index for index, token in enumerate(tokens) if keys[index] == token.encode()]
        positions, scans, tokens = ([column[index] for index in own] for column in (positions, scans, tokens))  # type: ignore[assignment]
    if not scans:
        return None
    written = cast("list[str]", [scan.scanned_at for scan in scans])
    times, characters, at_ms, read = _times(written)
    if times is not written:
        for scan, time, before in zip(scans, times, written, strict=True):
            if time is not before:
                force_setattr(cast(Any, scan), "scanned_at", time)
    return ScanColumns(
        positions,
        encode_lines(scans).decode().split("}\n")[:-1],
        [""] * len(scans),
        bytes.fromhex("".join(tokens)),
        [scan.venue_id for scan in scans],
        np.array([scan.direction == "enter" for scan in scans]),
        characters[:, SECONDS_AT:],
        at_ms,
        read,
    )


def _are_keys(keys: Sequence[bytes | None], tokens: Sequence[str]) -> bool:
    """Whether every key is the token: all tokens are equally long, so joined they tell."""
    if None in keys or not tokens:
        return not tokens
    known = cast("Sequence[bytes]", keys)
    return set(map(len, known)) == {len(tokens[0])} and b"".join(known) == "".join(tokens).encode()


def _times(texts: list[str]) -> tuple[list[str], Characters, Ints, Mask]:
    """Times as `encode` writes them, as characters with microseconds, in epoch milliseconds, and which were read.

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
    at_ms, microseconds, read = read_times(characters)
    whole = (microseconds == 0).nonzero()[0].tolist()
    if whole:
        wide = list(wide)
        for at in whole:
            wide[at] = wide[at][: WHOLE_SECOND - 1] + "Z"
    return wide, characters, at_ms, read


def _widened(text: str) -> str:
    """A time in another form with six digits of a fraction; of another width than a time has, what is none."""
    if len(text) == MILLISECOND:
        return text[:-1] + "000Z"
    return text[:-1] + ".000000Z" if len(text) == WHOLE_SECOND else _UNREAD * _WIDTH
