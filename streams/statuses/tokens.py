"""Which row is whose: an open-addressing hash table of row numbers, a whole batch at a time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.statuses.growing import GrowingRows
from streams.statuses.packing import Words

Numbers = npt.NDArray[np.intp]
NONE: Final = -1

_EMPTY: Final = np.uint32(0)
_REMOVED: Final = np.uint32(0xFFFF_FFFF)
_SMALLEST: Final = 1024
_FULL: Final = 0.6
_GROWTH: Final = 1.5
_SLICE: Final = 1 << 15
_HALF: Final = np.uint64(32)
_MIX: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_NEXT: Final = np.uint64(0xD134_2543_DE82_EF95)


class TokenIndex:
    """Finds rows by the token in their first two words.

    A slot is four bytes: the number of a row, counted from 1. The k-th place to look for a token is a k-th hash of it,
    so that a batch is through after a few rounds however the slots are filled. One thread changes the index and its
    rows; another may call `find` under the lock that guards them.
    """

    def __init__(self, rows: GrowingRows) -> None:
        self._rows = rows
        self._slots: npt.NDArray[np.uint32] = np.zeros(_SMALLEST, np.uint32)
        self._taken = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._slots.nbytes

    def find(self, keys: Words) -> Numbers:
        """The row of each key, or `NONE`."""
        found = np.full(len(keys), NONE, np.intp)
        words, slots = self._rows.words, self._slots
        waiting, hashes = np.arange(len(keys)), _hashes(keys)
        while len(waiting):
            held = slots[_places(hashes, slots)]
            there = held.nonzero()[0]
            held, hashes, waiting = held[there], hashes[there], waiting[there]
            same = _holds(words, held, keys[waiting])
            found[waiting[same]] = held[same].astype(np.intp) - 1
            other = (~same).nonzero()[0]
            waiting, hashes = waiting[other], _next(hashes[other])
        return found

    def reserve(self, more: int) -> None:
        """Make room for `more` tokens; `find` goes on meanwhile, without a lock, on the table as it was."""
        if self._taken + more <= len(self._slots) * _FULL:
            return
        needed = len(self._rows) + more
        size = max(_SMALLEST, int(needed / _FULL) + 1, int(len(self._rows) / _FULL * _GROWTH))
        slots: npt.NDArray[np.uint32] = np.zeros(size, np.uint32)
        for first in range(0, self._rows.used, _SLICE):
            numbers = self._rows.live(first, first + _SLICE)
            _enter(slots, _hashes(self._rows.words[numbers]), numbers)
        self._slots, self._taken = slots, len(self._rows)

    def place(self, keys: Words) -> tuple[Numbers, int]:
        """The row of each key; a new one, of zeros but for the key, where there was none. Call `reserve` before.

        Returns:
            The rows, and how many of them are new.
        """
        found = np.empty(len(keys), np.intp)
        rows, slots, before = self._rows, self._slots, self._taken
        waiting, hashes = np.arange(len(keys)), _hashes(keys)
        while len(waiting):
            places = _places(hashes, slots)
            held = slots[places]
            # No key lies behind a slot that was never used, so here each of these is new, or one of several alike.
            empty = held == _EMPTY
            new = empty.nonzero()[0]
            if len(new):
                fresh = rows.take(len(new))
                rows.words[fresh, :2] = keys[waiting[new]]
                slots[places[new]] = fresh.astype(np.uint32) + np.uint32(1)
                held = slots[places]
                kept = held[new] == fresh + 1
                rows.give_back(fresh[~kept])
                self._taken += int(kept.sum())
                found[waiting[new[kept]]] = fresh[kept]
                # Whoever lost a slot to another looks at who has it now.
                empty[new[~kept]] = False
                taken = (~empty).nonzero()[0]
                held, hashes, waiting = held[taken], hashes[taken], waiting[taken]
            same = _holds(rows.words, held, keys[waiting])
            found[waiting[same]] = held[same].astype(np.intp) - 1
            other = (~same).nonzero()[0]
            waiting, hashes = waiting[other], _next(hashes[other])
        return found, self._taken - before

    def remove(self, numbers: Numbers) -> None:
        """Forget these rows, each given once, and wipe them."""
        waiting = numbers.astype(np.uint32) + np.uint32(1)
        hashes, slots = _hashes(self._rows.words[numbers]), self._slots
        while len(waiting):
            places = _places(hashes, slots)
            here = slots[places] == waiting
            slots[places[here]] = _REMOVED
            waiting, hashes = waiting[~here], _next(hashes[~here])
        self._rows.give_back(numbers)


def _enter(slots: npt.NDArray[np.uint32], hashes: Words, numbers: Numbers) -> None:
    """Enter rows of different tokens, none of which is there yet."""
    wanted = numbers.astype(np.uint32) + np.uint32(1)
    while len(wanted):
        places = _places(hashes, slots)
        empty = slots[places] == _EMPTY
        slots[places[empty]] = wanted[empty]
        lost = (slots[places] != wanted).nonzero()[0]
        wanted, hashes = wanted[lost], _next(hashes[lost])


def _holds(words: Words, held: npt.NDArray[np.uint32], keys: Words) -> npt.NDArray[np.bool_]:
    """Whether the rows that the slots point at carry these keys."""
    removed = held == _REMOVED
    # A removed slot points at no row; any row will do, for what is wiped or somebody else's is not the key's.
    rows = words.take(np.where(removed, np.uint32(1), held) - np.uint32(1), axis=0)
    same: npt.NDArray[np.bool_] = (rows[:, 0] == keys[:, 0]) & (rows[:, 1] == keys[:, 1]) & ~removed
    return same


def _hashes(keys: Words) -> Words:
    mixed: Words = (keys[:, 0] ^ (keys[:, 1] * _NEXT)) * _MIX
    return mixed


def _next(hashes: Words) -> Words:
    return hashes * _NEXT + _MIX


def _places(hashes: Words, slots: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """Which slot each hash means: its upper half as a share of the table."""
    return ((hashes >> _HALF) * np.uint64(len(slots))) >> _HALF
