"""When a batch is written: bounded in rows, in bytes and in time."""

from __future__ import annotations

from math import sqrt

from sinks.clickhouse.batch import Batch

_FIRST_SHARE = 1 / 16
_PATIENCE = 8


class Pace:
    """Says of the batch that is being filled whether it is full, and whether it is to be written.

    Where a backlog begins, batches grow from a sixteenth of a full one: ClickHouse need not wait for the first. The
    faster rows come the older a batch may grow, so that it is filled by the square of their rate: few large parts cost
    ClickHouse much less than many small ones (docs/decisions/0010-sink.md), and where rows come slowly nobody waits.

    Args:
        rows, bytes: one of them makes a batch full.
        seconds: age of its first record at which a batch is written that has less than a sixteenth of its rows by
            then; eight times the square root of its share as many for one that has more, so at most eight times.
    """

    def __init__(self, rows: int, bytes: int, seconds: float) -> None:  # noqa: A002 - as in the configuration
        self._rows = rows
        self._bytes = bytes
        self._seconds = seconds
        self._share = _FIRST_SHARE

    def is_full(self, batch: Batch) -> bool:
        """Whether nothing more is to go into it."""
        return self._filled(batch) >= 1

    def room(self, batch: Batch) -> int:
        """How many rows may still go into it, at least one."""
        return max(1, self._rows - batch.rows)

    def is_due(self, batch: Batch, now: float) -> bool:
        """Whether to write it; to be asked when nothing is being written, and yes is to be followed.

        Args:
            batch: being filled.
            now: monotonic seconds.
        """
        filled = self._filled(batch)
        if filled >= self._share:
            self._share = min(1.0, 2 * self._share)
            return True
        age = now - batch.opened_at if batch.next_offsets else 0.0
        if filled >= _FIRST_SHARE:
            return age >= _PATIENCE * sqrt(filled) * self._seconds
        if age >= self._seconds:
            self._share = _FIRST_SHARE
            return True
        return False

    def _filled(self, batch: Batch) -> float:
        """The share of a full batch that it has."""
        return max(batch.rows / self._rows, batch.bytes / self._bytes)
