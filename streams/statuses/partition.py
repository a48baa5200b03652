"""The statuses of one partition, of each person the latest version and the one it superseded."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.statuses.growing import GrowingRows
from streams.statuses.packing import (
    EARLIER_WIDTH,
    WIDTH,
    Integers,
    Statuses,
    Words,
    kinds_of,
    pack,
    places_of,
    times_of,
    versions_of,
    with_kinds,
    with_places,
)
from streams.statuses.tokens import NONE, Numbers, TokenIndex

_SLICE: Final = 8000
_KEY_WORDS: Final = WIDTH - EARLIER_WIDTH


class InForce(NamedTuple):
    """One entry per person asked for; where no status was in force kind and issued_ms are 0 and version is -1."""

    kind: Integers
    version: Integers
    issued_ms: Integers


class PartitionStatuses:
    """Filled by one thread while others look up. The lock is held for a slice of the work at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows = GrowingRows(WIDTH)
        self._earlier = GrowingRows(EARLIER_WIDTH)
        self._index = TokenIndex(self._rows)

    def __len__(self) -> int:
        """Persons with a status, in force or not."""
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, spare room included."""
        return self._rows.nbytes + self._earlier.nbytes + self._index.nbytes

    def apply(self, keys: Words, statuses: Statuses) -> int:
        """Take over changes in the order of their offsets.

        A status whose `version` is older than the one known is ignored; a tombstone removes the person, and after it
        any version is taken (as if the person had never been known: compaction may have removed both).

        Returns:
            How many were statuses of somebody who had one already.
        """
        renewed = 0
        for first in range(0, len(keys), _SLICE):
            piece = slice(first, first + _SLICE)
            renewed += self._apply(keys[piece], Statuses(*(column[piece] for column in statuses)))
        return renewed

    def look_up(self, keys: Words, at_ms: Integers) -> InForce:
        """The status in force of each person at a time of their own.

        The latest version where it was in force; the one it superseded where the latest began only afterwards and the
        superseded one was in force then; else none.
        """
        with self._lock:
            numbers = self._index.find(keys)
            words: Words = self._rows.words.take(numbers, axis=0, mode="clip")[:, _KEY_WORDS:]
            since = times_of(words, 0)
            places = places_of(words)
            late = ((since > at_ms) & (places > 0) & (numbers != NONE)).nonzero()[0]
            if len(late):
                words[late] = self._earlier.words[places[late] - 1]
        if len(late):
            since = times_of(words, 0)
        in_force = (numbers != NONE) & (since <= at_ms) & (at_ms < times_of(words, 1))
        return InForce(
            np.where(in_force, kinds_of(words), 0),
            np.where(in_force, versions_of(words), -1),
            np.where(in_force, times_of(words, 2), 0),
        )

    @property
    def rows_used(self) -> int:
        """Where the rows end that `copy` has to be asked for."""
        return self._rows.used

    def copy(self, first: int, end: int) -> tuple[Words, Words]:
        """Rows `first` to before `end` of those in use, and what they superseded, numbered from 1 among themselves.

        To be called by the thread that applies changes: nobody else changes rows.
        """
        rows: Words = self._rows.words[self._rows.live(first, end)]
        places = places_of(rows[:, _KEY_WORDS:])
        superseding = places > 0
        earlier: Words = self._earlier.words[places[superseding] - 1]
        places[superseding] = np.arange(1, len(earlier) + 1)
        with_places(rows[:, _KEY_WORDS:], places)
        return rows, earlier

    def restore(self, rows: Words, earlier: Words, kind_numbers: Words) -> None:
        """Take over what `copy` gave, kinds numbered anew; a person who is there already stays as he is."""
        self._index.reserve(len(rows))
        with self._lock:
            numbers, _ = self._index.place(rows[:, :_KEY_WORDS])
            new = kinds_of(self._rows.words[numbers, _KEY_WORDS:]) == 0
            words = with_kinds(rows[:, _KEY_WORDS:], kind_numbers)[new]
            places = places_of(words)
            superseding = places > 0
            kept = self._earlier.take(int(superseding.sum()))
            self._earlier.words[kept] = with_kinds(earlier, kind_numbers)[places[superseding] - 1]
            places[superseding] = kept + 1
            self._rows.words[numbers[new], _KEY_WORDS:] = with_places(words, places)

    def _apply(self, keys: Words, statuses: Statuses) -> int:
        packed = pack(statuses)
        self._index.reserve(len(keys))
        with self._lock:
            numbers, new = self._index.place(keys)
            if new == len(keys):  # each of somebody else, and nobody was known before
                self._rows.words[numbers, _KEY_WORDS:] = packed
        renewed = 0 if new == len(keys) else self._write_all(numbers, packed, statuses.version)
        if not statuses.kind.all():
            self._remove_erased(np.unique(numbers))
        return renewed

    def _write_all(self, numbers: Numbers, packed: Words, version: Integers) -> int:
        """Take over changes in their order; how many had a status and have another."""
        renewed, waiting = 0, np.arange(len(numbers))
        while len(waiting):
            # Array assignment knows no order among equal rows: one change per person a round.
            _, firsts = np.unique(numbers[waiting], return_index=True)
            now = waiting[firsts]
            with self._lock:
                renewed += self._write(numbers[now], packed[now], version[now])
            waiting = np.delete(waiting, firsts)
        return renewed

    def _write(self, numbers: Numbers, packed: Words, version: Integers) -> int:
        """Take over one change each of different persons; how many had a status and have another."""
        rows = self._rows.words
        before: Words = rows.take(numbers, axis=0)[:, _KEY_WORDS:]
        lives = kinds_of(before) != 0
        if not lives.any():
            rows[numbers, _KEY_WORDS:] = packed
            return 0
        erases, known = kinds_of(packed) == 0, versions_of(before)
        taken = erases | ~lives | (version >= known)
        places = places_of(before)
        self._supersede(lives & ~erases & (version > known), before, places)
        gone = erases & (places > 0)
        self._earlier.give_back(places[gone] - 1)
        places[gone] = 0
        rows[numbers[taken], _KEY_WORDS:] = with_places(packed, places)[taken]
        return int((lives & ~erases).sum())

    def _supersede(self, superseded: npt.NDArray[np.bool_], before: Words, places: Numbers) -> None:
        """Keep what is superseded; writes into `places` where."""
        fresh = (superseded & (places == 0)).nonzero()[0]
        places[fresh] = self._earlier.take(len(fresh)) + 1
        self._earlier.words[places[superseded] - 1] = with_places(before, np.zeros(len(before)))[superseded]

    def _remove_erased(self, numbers: Numbers) -> None:
        with self._lock:
            words = self._rows.words.take(numbers, axis=0)[:, _KEY_WORDS:]
            self._index.remove(numbers[kinds_of(words) == 0])
