"""When each record is sent: event time held to a speed, a rate, or neither, and never into the future."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from producers.simulator.events import Batch
from schemas.errors import ConfigurationError

TICK_S: Final = 0.05
_MOST: Final = 20_000


class Clock(Protocol):
    """Wall time, and waiting for it."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after so long, or earlier when there is reason to look around."""
        ...


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast: `speed` seconds of event time a second, or `rate` scans a second; neither: as fast as it goes.

    Args:
        from_the_future: whether records may be sent before they happen (into files, yes; to a live platform, no).

    Raises:
        ConfigurationError: both are given, or one is not above 0.
    """

    speed: float | None = None
    rate: float | None = None
    from_the_future: bool = False

    def __post_init__(self) -> None:
        if self.speed is not None and self.rate is not None:
            raise ConfigurationError("choose a speed or a rate, not both")
        if (self.speed or 1) <= 0 or (self.rate or 1) <= 0 or 0 in (self.speed, self.rate):
            raise ConfigurationError("a speed or a rate must be above 0")


def pace(
    batches: Iterable[Batch], start_ms: int, pacing: Pacing, clock: Clock, stop: Callable[[], bool]
) -> Iterator[Batch]:
    """The batches in parts, each when it is due; an empty part at every wait, so that the caller can look around.

    With a speed, the wall clock's time since the first call, times the speed, is the event time since `start_ms`; once
    that has caught up with the wall clock, event time is wall time. With a rate, statuses do not count. Ends when
    `stop()` says so, asked at every part.
    """
    began = clock.now()
    scans = 0
    for batch in batches:
        sent = 0
        while True:
            if stop():
                return
            now = clock.now()
            end = len(batch)
            limit = float("inf") if pacing.from_the_future else now * 1000
            if pacing.speed is not None:
                limit = min(limit, start_ms + (now - began) * 1000 * pacing.speed)
            if limit != float("inf"):
                end = int(np.searchsorted(batch.due, limit, side="right"))
            if pacing.rate is not None and batch.what == "scans":
                end = min(end, sent + max(0, int((now - began) * pacing.rate) - scans))
            part_end = min(end, sent + _MOST)
            if part_end > sent or not len(batch):
                part = batch.part(sent, part_end)
                scans += len(part) if batch.what == "scans" else 0
                sent = part_end
                yield part
            if sent == len(batch):
                break
            if sent >= end:
                yield NOTHING
                clock.sleep(TICK_S)


_NONE: Final = np.empty(0, np.int64)
NOTHING: Final = Batch("scans", _NONE, _NONE, (), (), np.empty(0, np.bool_))
"""An empty part: nothing is due."""
