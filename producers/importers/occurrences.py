"""Counts identical rows, so that the second of two equal rows gets an id of its own, the same one every time."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from hirola import HashTable

_FULL: Final = 0.6


class Occurrences:
    """How often each fingerprint has been seen; about 30 bytes for each different one.

    Two different rows with one 64-bit fingerprint would number each other: their ids stay different all the same.
    """

    def __init__(self, capacity: int = 1 << 17) -> None:
        self._table = HashTable(capacity, np.uint64)
        self._counts = array("I", bytes(4 * capacity))

    def number(self, fingerprints: Sequence[int]) -> list[int]:
        """For each 64-bit fingerprint, in order, how often it has been seen, this time included."""
        while len(self._table) + len(fingerprints) > self._table.max * _FULL:
            self._table = self._table.resize(self._table.max * 2)  # keeps the order, so the counts stay where they are
            self._counts.extend(array("I", bytes(4 * (self._table.max - len(self._counts)))))
        counts = self._counts
        numbers = []
        for index in self._table.add(np.array(fingerprints, dtype=np.uint64)).tolist():
            counts[index] += 1
            numbers.append(counts[index])
        return numbers
