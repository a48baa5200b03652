"""Notices a worker that reads and does not get on. Pure: observations and the clock are passed in.

Upstream, commits can stop for good after a rebalance race (docs/upstream.md), with everything else looking well.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


@dataclass(slots=True)
class _Standing:
    committed: int
    since: float
    has_work: bool


class StallDetector(Generic[P]):
    """Per partition, since when the broker's committed offset stands still although there is work.

    Args:
        patience_s: how long that may be.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._standing: dict[P, _Standing] = {}

    def observe(self, partition: P, committed: int, has_work: bool, now_s: float) -> bool:
        """Take note of one partition, and say whether it has stalled.

        Args:
            partition: which one.
            committed: the broker's committed offset, -1 where there is none.
            has_work: records wait to be read, or were read and are not committed.
            now_s: any monotonic clock.
        """
        standing = self._standing.get(partition)
        if standing is None or not has_work or committed != standing.committed:
            self._standing[partition] = _Standing(committed, now_s, has_work)
            return False
        standing.has_work = True
        return now_s - standing.since >= self._patience_s

    def standing(self, now_s: float) -> dict[P, float]:
        """For how many seconds each partition that had work when it was last observed has stood still."""
        return {each: now_s - standing.since for each, standing in self._standing.items() if standing.has_work}

    def keep_only(self, partitions: Iterable[P]) -> None:
        """Forget all others."""
        for gone in self._standing.keys() - set(partitions):
            del self._standing[gone]

    def forget(self, partition: P) -> None:
        """The partition is not owned, or not meant to get on (it waits for its statuses)."""
        self._standing.pop(partition, None)
