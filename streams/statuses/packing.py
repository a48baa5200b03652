"""A status as words of 64 bits, losing nothing: 48 bytes a person, the token included.

| word | bits 0 to 48 | bits 49 to 63 |
|---|---|---|
| 0, 1 | the token | |
| 2 | valid from | version, bits 0 to 14 |
| 3 | valid until | version, bits 15 to 29 |
| 4 | issued at | version, bits 30 to 44 |
| 5 | bits 0 to 22 kind; 23 to 31 version, bits 45 to 53; 32 to 63 where the superseded status is (0: nowhere) | |

Times are milliseconds since the beginning of the year 1. A superseded status is words 2 to 5 alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

WIDTH: Final = 6
EARLIER_WIDTH: Final = 4
KEY_BYTES: Final = 16

_YEAR_ONE_MS: Final = -62_135_596_800_000
_TIME: Final = np.uint64((1 << 49) - 1)
_TIME_BITS: Final = np.uint64(49)
_PART: Final = np.uint64((1 << 15) - 1)
_PART_BITS: Final = np.uint64(15)
_KIND: Final = np.uint64((1 << 23) - 1)
_KIND_BITS: Final = np.uint64(23)
_LOW: Final = np.uint64(0xFFFF_FFFF)
_HALF: Final = np.uint64(32)


class Statuses(NamedTuple):
    """Columns: one entry per status; times in epoch milliseconds; kind 0 is a tombstone, or no status in force."""

    kind: Integers
    version: Integers
    since_ms: Integers
    until_ms: Integers
    issued_ms: Integers


def keys_of(tokens: Sequence[str] | bytes) -> Words:
    """Tokens (32 hex digits each, or 16 bytes each, joined) as rows of two words."""
    raw = tokens if isinstance(tokens, bytes) else bytes.fromhex("".join(tokens))
    return np.frombuffer(raw, "<u8").reshape(-1, 2)


def pack(statuses: Statuses) -> Words:
    """Words 2 to 5 of each, nothing superseded."""
    version = statuses.version.astype(np.uint64)
    packed = np.empty((len(version), EARLIER_WIDTH), np.uint64)
    for word, times in enumerate((statuses.since_ms, statuses.until_ms, statuses.issued_ms)):
        packed[:, word] = (times - _YEAR_ONE_MS).view(np.uint64) | ((version & _PART) << _TIME_BITS)
        version >>= _PART_BITS
    packed[:, 3] = statuses.kind.view(np.uint64) | (version << _KIND_BITS)
    return packed


def kinds_of(words: Words) -> Integers:
    """The kinds in words 2 to 5."""
    return (words[:, 3] & _KIND).view(np.int64)


def versions_of(words: Words) -> Integers:
    """The versions in words 2 to 5."""
    version = (words[:, 3] & _LOW) >> _KIND_BITS
    for word in (2, 1, 0):
        version = (version << _PART_BITS) | (words[:, word] >> _TIME_BITS)
    return version.view(np.int64)


def times_of(words: Words, word: int) -> Integers:
    """Valid from (0), valid until (1) or issued at (2) in words 2 to 5, epoch milliseconds."""
    return (words[:, word] & _TIME).view(np.int64) + _YEAR_ONE_MS


def places_of(words: Words) -> npt.NDArray[np.intp]:
    """Where the superseded status of each is, counted from 1; 0: nowhere."""
    return (words[:, 3] >> _HALF).astype(np.intp)


def with_places(words: Words, places: npt.NDArray[Any]) -> Words:
    """Words 2 to 5 that say where the superseded statuses are; changes and returns them."""
    words[:, 3] = (words[:, 3] & _LOW) | (places.astype(np.uint64) << _HALF)
    return words


def with_kinds(words: Words, numbers: Words) -> Words:
    """Words 2 to 5 whose kind k has become numbers[k]; changes and returns them."""
    words[:, 3] = (words[:, 3] & ~_KIND) | numbers[words[:, 3] & _KIND]
    return words
