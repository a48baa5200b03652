"""The worker's wall clock, and how far it is from the brokers'. No verdict depends on it; what is shown does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since 1970."""


class WallClock:
    """Tells the time, and compares it with when the brokers appended what is read.

    A record is read after it was appended, so the least of these ages is what the clock is ahead by at most: exactly
    that, but for the way here, where nothing waited to be read; and where it is negative the clock is surely behind.

    Args:
        tolerated_s: a larger difference is worth a warning.
        now: where the time comes from.

    Attributes:
        ahead_s: of the brokers' clock; negative when behind, 0 before it is known.
    """

    def __init__(self, tolerated_s: float, now: Clock = time.time) -> None:
        self.now = now
        self.ahead_s = 0.0
        self._tolerated_s = tolerated_s
        self._least = math.inf

    def saw(self, appended_ms: int) -> None:
        """A record is being worked on that a broker appended at this moment, epoch milliseconds."""
        self._least = min(self._least, self.now() - appended_ms / 1000)

    def look(self, *, caught_up: bool) -> None:
        """Judge what was seen since the last look; `caught_up`: nothing waited to be read."""
        if caught_up or self._least < 0:
            if self._least < math.inf:
                self.ahead_s = self._least
            self._least = math.inf

    def warnings(self) -> list[str]:
        """What `/ready` says about it: nothing while the difference is tolerated."""
        if abs(self.ahead_s) <= self._tolerated_s:
            return []
        side = "ahead of" if self.ahead_s > 0 else "behind"
        return [
            f"clock: this worker's is {abs(self.ahead_s):.0f} s {side} the brokers'; no verdict depends on it, but the "
            "times of processing and the ages it shows do"
        ]
