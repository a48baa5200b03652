"""Rows that grow keep what is in them, also where the system cannot move page tables."""

from __future__ import annotations

import mmap
from typing import NoReturn

import numpy as np
import pytest

from streams.statuses import growing
from streams.statuses.growing import GrowingRows


class Fixed(mmap.mmap):
    def resize(self, newsize: int) -> NoReturn:
        raise SystemError(f"mmap: resizing not available ({newsize} bytes)")


def fixed(size: int) -> mmap.mmap:
    return Fixed(-1, size)


@pytest.mark.parametrize("moves", [True, False])
def test_rows_that_grow_keep_what_was_written_and_new_ones_are_zeros(
    monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    if not moves:
        monkeypatch.setattr(growing, "_zeros", fixed)
    rows, expected = GrowingRows(6), np.zeros((0, 6), np.uint64)
    for count in (1, 255, 1, 1000, 20_000):
        taken = rows.take(count)
        assert taken.tolist() == list(range(len(expected), len(expected) + count))
        assert not rows.words[taken].any()
        rows.words[taken] = taken.astype(np.uint64)[:, None] + np.arange(1, 7, dtype=np.uint64)
        expected = np.concatenate((expected, rows.words[taken]))
        assert (rows.words[: len(expected)] == expected).all()
    assert rows.nbytes < 1.1 * expected.nbytes


def test_rows_that_something_still_looks_at_are_not_moved_away_from_it() -> None:
    rows = GrowingRows(4)
    view = rows.words[:2]
    with pytest.raises(BufferError):
        rows.take(100_000)
    assert (view == 0).all()
    assert len(rows) == 0
    assert len(rows.words) == 256
