"""Rows that grow without being copied."""

from __future__ import annotations

import mmap
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.statuses.packing import Words

_SMALLEST: Final = 256
_SHARE: Final = 32


class GrowingRows:
    """Rows of words, handed out and given back by number.

    Their memory comes from the kernel, which moves page tables instead of bytes when it grows (Linux), so that neither
    the peak of memory nor the time grows with what is already there. The C library does so for large blocks only, those
    above the limit of `streams.memory.keep_freed_memory`. Whoever calls `take` must let nobody else touch `words`.

    Attributes:
        words: the rows; never keep a view of it beyond the lock that guards it.
        used: rows ever handed out, given-back ones included.
    """

    def __init__(self, width: int) -> None:
        self._row_bytes = width * np.dtype(np.uint64).itemsize
        self._memory = _zeros(_SMALLEST * self._row_bytes)
        self.words = self._rows()
        self.used = 0
        self._free: list[int] = []

    def __len__(self) -> int:
        """Rows handed out and not given back."""
        return self.used - len(self._free)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows, spare ones included. May be asked by any thread: it does not look at `words`."""
        return len(self._memory)

    def take(self, count: int) -> npt.NDArray[np.intp]:
        """Numbers of rows of zeros to write to."""
        recycled = self._free[len(self._free) - count :] if count <= len(self._free) else self._free
        fresh = count - len(recycled)
        end = self.used + fresh
        if end > len(self.words):
            self._grow(max(end, len(self.words) + max(_SMALLEST, len(self.words) // _SHARE)))
        taken = np.concatenate((np.array(recycled, np.intp), np.arange(self.used, end)))
        if recycled:
            del self._free[len(self._free) - len(recycled) :]
        self.used = end
        return taken

    def give_back(self, numbers: npt.NDArray[np.intp]) -> None:
        """Wipe rows; they may be handed out again."""
        self.words[numbers] = 0
        self._free.extend(numbers.tolist())

    def _grow(self, rows: int) -> None:
        # Memory that anything looks at cannot be moved.
        del self.words
        try:
            self._memory.resize(rows * self._row_bytes)
        except SystemError:  # this system cannot move page tables
            before, self._memory = self._memory, _zeros(rows * self._row_bytes)
            self._memory[: len(before)] = before[:]
        finally:
            self.words = self._rows()

    def _rows(self) -> Words:
        return np.frombuffer(self._memory, np.uint64).reshape(-1, self._row_bytes // np.dtype(np.uint64).itemsize)

    def live(self, first: int, end: int) -> npt.NDArray[np.intp]:
        """The numbers from `first` to before `end` that are handed out."""
        numbers = np.arange(first, min(end, self.used))
        if not self._free:
            return numbers
        free = np.array(self._free, np.intp)
        held = np.ones(len(numbers), bool)
        held[free[(free >= first) & (free < end)] - first] = False
        return numbers[held]


def _zeros(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
