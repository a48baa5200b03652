"""Rows that grow without being copied."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.statuses.packing import Words

_SMALLEST: Final = 256
_SHARE: Final = 32


class GrowingRows:
    """Rows of words, handed out and given back by number.

    Growing reallocates in place: for large blocks glibc moves page tables instead of bytes, so that neither the peak of
    memory nor the time grows with what is already there. Whoever calls `take` must let nobody else touch `words`.

    Attributes:
        words: the rows; never keep a view of it beyond the lock that guards it.
        used: rows ever handed out, given-back ones included.
    """

    def __init__(self, width: int) -> None:
        self.words: Words = np.zeros((_SMALLEST, width), np.uint64)
        self.used = 0
        self._free: list[int] = []

    def __len__(self) -> int:
        """Rows handed out and not given back."""
        return self.used - len(self._free)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows, spare ones included."""
        return self.words.nbytes

    def take(self, count: int) -> npt.NDArray[np.intp]:
        """Numbers of rows of zeros to write to."""
        recycled = self._free[len(self._free) - count :] if count <= len(self._free) else self._free
        fresh = count - len(recycled)
        end = self.used + fresh
        if end > len(self.words):
            size = max(end, len(self.words) + max(_SMALLEST, len(self.words) // _SHARE))
            self.words.resize((size, self.words.shape[1]), refcheck=False)
        taken = np.concatenate((np.array(recycled, np.intp), np.arange(self.used, end)))
        if recycled:
            del self._free[len(self._free) - len(recycled) :]
        self.used = end
        return taken

    def give_back(self, numbers: npt.NDArray[np.intp]) -> None:
        """Wipe rows; they may be handed out again."""
        self.words[numbers] = 0
        self._free.extend(numbers.tolist())

    def live(self, first: int, end: int) -> npt.NDArray[np.intp]:
        """The numbers from `first` to before `end` that are handed out."""
        numbers = np.arange(first, min(end, self.used))
        if not self._free:
            return numbers
        free = np.array(self._free, np.intp)
        held = np.ones(len(numbers), bool)
        held[free[(free >= first) & (free < end)] - first] = False
        return numbers[held]
