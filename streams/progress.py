"""Looks, every few seconds, at how far the brokers say this worker is; gives up when it stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.errors import RetryableError
from schemas.kafka import consumer_config
from streams.batching.batch import Place
from streams.batching.ledger import OffsetLedger
from streams.config import WorkerConfig
from streams.metrics import WorkerMetrics
from streams.wall_clock import WallClock
from streams.watchdog import StallDetector

_LOOK_EVERY_S: Final = 5.0
_TIMEOUT_S: Final = 10.0
_SAID_AFTER: Final = 1 / 3
"""Share of the patience after which `/ready` says so; looks are a quarter of it apart at most."""

log = structlog.get_logger(__name__)


class Progress:
    """Measures lag; calls `on_fatal` when the committed offset of an open partition stands still despite work.

    Also when the worker has dropped out of its group for good: nothing is its work then, and nothing would stand still.

    Asks the brokers through a client of its own: the application's consumer may be what is stuck.

    Args:
        config: the worker's.
        owned: partitions of the scans that are owned now.
        end_seen: the end offset at which a partition had nothing more to read, -1 before that.
        ledger: what was handed out and what is finished.
        is_open: whether a partition is meant to get on: it does not wait for its statuses.
        metrics: for the lag.
        on_fatal: called with what stands still.
        clock: told, at each look, whether anything waits to be read.
        membership_error: why the application's consumer is no member of its group and will not be one; else null.
    """

    def __init__(
        self,
        config: WorkerConfig,
        owned: Callable[[], Collection[int]],
        end_seen: Callable[[Place], int],
        ledger: OffsetLedger[Place],
        is_open: Callable[[int], bool],
        metrics: WorkerMetrics,
        on_fatal: Callable[[str], None],
        clock: WallClock,
        membership_error: Callable[[], BaseException | None] = lambda: None,
    ) -> None:
        self._owned, self._end_seen = owned, end_seen
        self._ledger, self._is_open = ledger, is_open
        self._metrics, self._on_fatal = metrics, on_fatal
        self._clock = clock
        self._membership_error = membership_error
        self._topic = config.topics.scans
        self._patience_s = config.stall_s
        self._detector: StallDetector[int] = StallDetector(config.stall_s)
        # Never subscribes and commits nothing: only asks what the group has committed.
        self._client: Any = Consumer(consumer_config(config.cluster, config.group))

    def standing_still(self) -> list[str]:
        """Partitions whose commits have stood still for a third of the patience or longer, in words for `/ready`."""
        return [
            f"{self._topic} partition {partition}: no commit for {seconds:.0f} s though there is work"
            for partition, seconds in sorted(self._detector.standing(time.monotonic()).items())
            if seconds >= self._patience_s * _SAID_AFTER
        ]

    async def watch(self) -> None:
        """Look until cancelled."""
        interval = min(_LOOK_EVERY_S, self._patience_s / 4)
        while True:
            await asyncio.sleep(interval)
            if (error := self._membership_error()) is not None:
                self._on_fatal(f"no member of the group any more: {error!r}: giving up, to be restarted")
            try:
                standings = await asyncio.to_thread(self._ask, sorted(self._owned()))
            except (KafkaException, RetryableError) as error:
                log.warning("progress_unknown", reason=str(error))
                continue
            self._judge(standings)

    def _ask(self, owned: list[int]) -> dict[int, tuple[int, int]]:
        """By partition: the next offset to be read as the brokers have it, and the end."""
        if not owned:
            return {}
        asked = [TopicPartition(self._topic, number) for number in owned]
        found = {}
        for answer in self._client.committed(asked, timeout=_TIMEOUT_S):
            low, high = self._client.get_watermark_offsets(answer, timeout=_TIMEOUT_S)
            found[answer.partition] = (max(answer.offset, low), high)
        return found

    def _judge(self, standings: dict[int, tuple[int, int]]) -> None:
        self._detector.keep_only(standings)
        waiting = False
        for partition, (committed, high) in standings.items():
            finished = self._ledger.committable(Place(self._topic, partition))
            waits = max(committed, finished or 0) < high and not self._is_through(partition, committed, high)
            self._metrics.lag(partition, high - committed, waits=waits)
            waiting |= waits
            if not self._is_open(partition):
                self._detector.forget(partition)
                continue
            has_work = committed < high and not self._is_through(partition, committed, high)
            if self._detector.observe(partition, committed, has_work, time.monotonic()):
                self._on_fatal(
                    f"the committed offset of {self._topic} partition {partition} has stood at {committed} for "
                    f"{self._patience_s:.0f} s with the end at {high}: giving up, to be restarted"
                )
        self._clock.look(caught_up=not waiting)
        self._metrics.clock_ahead_seconds.set(self._clock.ahead_s)

    def _is_through(self, partition: int, committed: int, high: int) -> bool:
        """Whether nothing is left to be read or committed: behind the last record may be a transaction's marker."""
        place = Place(self._topic, partition)
        finished = self._ledger.committable(place)
        if self._ledger.unfinished(place) or (finished is not None and finished > committed):
            return False
        return self._end_seen(place) >= high
