"""When a batch is written: bounded in rows, in bytes and in time."""

from __future__ import annotations

from sinks.clickhouse.batch import Batch

_FIRST_SHARE = 0.125
_PATIENCE = 4


class Pace:
    """Says of the batch that is being filled whether it is full, and whether it is to be written.

    Where a backlog begins, batches grow from an eighth of a full one: ClickHouse need not wait for the first. Where
    rows come so fast that an eighth is there within `seconds`, a batch may grow four times as old: few large parts cost
    ClickHouse much less than many small ones (docs/decisions/0010-sink.md).

    Args:
        rows, bytes: one of them makes a batch full.
        seconds: age of its first record at which a batch is written though it is not full; four times as much for one
            that has an eighth of its rows by then.
    """

    def __init__(self, rows: int, bytes: int, seconds: float) -> None:  # noqa: A002 - as in the configuration
        self._rows = rows
        self._bytes = bytes
        self._seconds = seconds
        self._share = _FIRST_SHARE

    def is_full(self, batch: Batch) -> bool:
        """Whether nothing more is to go into it."""
        return self._reaches(batch, 1.0)

    def room(self, batch: Batch) -> int:
        """How many rows may still go into it, at least one."""
        return max(1, self._rows - batch.rows)

    def is_due(self, batch: Batch, now: float) -> bool:
        """Whether to write it; to be asked when nothing is being written, and yes is to be followed.

        Args:
            batch: being filled.
            now: monotonic seconds.
        """
        if self._reaches(batch, self._share):
            self._share = min(1.0, 2 * self._share)
            return True
        age = now - batch.opened_at if batch.next_offsets else 0.0
        if self._reaches(batch, _FIRST_SHARE):
            return age >= _PATIENCE * self._seconds
        if age >= self._seconds:
            self._share = _FIRST_SHARE
            return True
        return False

    def _reaches(self, batch: Batch, share: float) -> bool:
        return batch.rows >= share * self._rows or batch.bytes >= share * self._bytes
