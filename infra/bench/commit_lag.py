"""How long results were there before their input counted as done: sampled, by partition."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping


class CommitLag:
    """From samples of both, how many seconds commits were behind the results they stand for.

    Results and inputs lie in partitions of the same number, one result an input, so that of a partition the n-th result
    stands for the n-th input. The lag of a partition at a moment is the time since it held a result whose input is not
    committed at that moment; a sample sees a result late by at most the time between two samples.

    Attributes:
        largest_s: over all partitions and samples so far.
    """

    def __init__(self) -> None:
        self.largest_s = 0.0
        self._seen: defaultdict[int, deque[tuple[float, int]]] = defaultdict(deque)

    def sample(self, now_s: float, results: Mapping[int, int], committed: Mapping[int, int]) -> None:
        """Take note of one look: by partition, results there are and inputs committed.

        Args:
            now_s: any monotonic clock, read before the looks, the commits looked at after the results.
            results, committed: counts since the same beginning.
        """
        for partition, count in results.items():
            seen = self._seen[partition]
            if not seen or count > seen[-1][1]:
                seen.append((now_s, count))
            while seen and seen[0][1] <= committed.get(partition, 0):
                seen.popleft()
            if seen:
                self.largest_s = max(self.largest_s, now_s - seen[0][0])
