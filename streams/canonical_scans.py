"""Scans written as our own encoder writes them, read out of their joined bytes without an object each.

A scan is canonical when it is, byte for byte, what `schemas.fast.encode` makes of it, in ASCII with nothing escaped,
its time in UTC from 1970 to 2099, and its key its person token; but a fraction of a second may also have three digits,
as most other encoders write it, or be zeros. The rest, good or bad, is left to `streams.plain_scans`: nothing is
rejected here, and a property test holds both to the same columns. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast, get_args

import numpy as np

from schemas.base import PersonToken, ScanId
from schemas.scan import Channel, Direction
from schemas.side_by_side import Lines, Time, fixed
from schemas.utc_times import SECONDS_AT, Ints, all_of_each
from streams.scan_columns import ScanColumns

_DIRECTIONS: Final[tuple[str, ...]] = get_args(Direction)
_CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
_ENTER: Final = _DIRECTIONS.index("enter")
_TOKEN_LENGTH: Final = 32
_NO_KEY: Final = bytes(_TOKEN_LENGTH)
FEW: Final = 40
"""So many scans cost less when they are looked at one by one than another round of columns does."""
_SCAN_ID: Final = fixed(ScanId)
_TOKEN: Final = fixed(PersonToken)


def read_canonical(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> ScanColumns:
    """The canonical scans of a batch, their times read.

    Where all but a few are canonical every record has an entry, and those few one whose time is not read.
    """
    lines = Lines(values)
    lines.literal('{"scan_id":"')
    lines.fixed(_SCAN_ID)
    lines.literal('","person_token":"')
    tokens = lines.fixed(_TOKEN)
    lines.literal('","venue_id":"')
    venue = lines.identifier()
    lines.literal('","point_id":"')
    lines.identifier()
    lines.literal('","scanned_at":"')
    time = lines.time()
    lines.literal('","direction":"')
    direction = lines.one_of(_DIRECTIONS)
    lines.literal(',"channel":"')
    lines.one_of(_CHANNELS)
    lines.literal(',"trip":')
    lines.trip()
    lines.literal(',"gateway":"')
    lines.identifier()
    lines.literal('"}')
    known = _joined(keys)
    are_keys = all_of_each(tokens == np.frombuffer(known, np.uint8).reshape(-1, _TOKEN_LENGTH))
    read = lines.good & are_keys & lines.ended()
    good = read.nonzero()[0]
    positions: Sequence[int] = range(len(values))
    if len(good) < len(values):
        if len(good) and len(values) - len(good) <= FEW:
            # Columns with gaps take longer: instead a good line stands in for each of the others.
            good = np.where(read, np.arange(len(values)), good[0])
        else:
            read, positions = read[good], good.tolist()
        tokens, direction = tokens[good], direction[good]
        time = Time._make(column[good] for column in time)
    heads, tails = _copied(lines, lines.begins[good], lines.ends[good] - 1, time)
    return ScanColumns(
        positions,
        heads,
        tails,
        bytes.fromhex(tokens.tobytes().decode()),
        lines.texts(venue.begin[good], venue.end[good]),
        direction == _ENTER,
        time.characters[:, SECONDS_AT:],
        time.at_ms,
        read,
    )


def _joined(keys: Sequence[bytes | None]) -> bytes:
    """All keys, each as long as a token; another text for one that is not."""
    try:
        if {_TOKEN_LENGTH}.issuperset(map(len, cast("Sequence[bytes]", keys))):
            return b"".join(cast("Sequence[bytes]", keys))
    except TypeError:  # there is a null among them
        pass
    return b"".join(key if key is not None and len(key) == _TOKEN_LENGTH else _NO_KEY for key in keys)


def _copied(lines: Lines, begins: Ints, ends: Ints, time: Time) -> tuple[list[str], list[str]]:
    """Parts of the text in two pieces each, joined with their times as the encoder writes them."""
    if np.array_equal(time.cut, time.end - 1) and not time.short.any():
        return lines.texts(begins, ends), [""] * len(begins)
    usual = "000Z" if time.short.sum() * 2 > len(begins) else "Z"
    heads = lines.texts(begins, time.cut, usual)
    for at in (time.short != (usual == "000Z")).nonzero()[0].tolist():
        heads[at] = heads[at].removesuffix(usual) + ("000Z" if time.short[at] else "Z")
    return heads, lines.texts(time.end, ends)
