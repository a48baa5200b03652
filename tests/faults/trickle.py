"""A steady load, and how long any partition stood still under it."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.kafka import consumer_config
from tests.faults.load import Slice
from tests.faults.platform import Platform

_TICK_S = 0.05
_ENDLESS = 10**9


class Trickle:
    """Sends so many scans a second while it is open; when it closes, all of them are acknowledged."""

    def __init__(self, own: Platform, per_second: int) -> None:
        self._own = own
        self._per_tick = max(1, int(per_second * _TICK_S))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trickle", daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        if kind is None:
            if self._error is not None:
                raise self._error
            self._own.sender.flush()

    def _run(self) -> None:
        try:
            parts = self._own.load.slices(_ENDLESS)
            waiting = Slice([], [])
            while not self._stopping.wait(_TICK_S):
                if not len(waiting):
                    waiting = next(parts)
                now, waiting = waiting.split(self._per_tick)
                self._own.sender.send(now)
        except BaseException as error:
            self._error = error


class Standstill:
    """Watches the ends of the visits' partitions: with scans coming all the time, an end that stays is a standstill."""

    def __init__(self, own: Platform) -> None:
        self._topic = own.settings.kafka.topics().visits
        self._partitions = range(own.settings.kafka.partitions)
        reader = consumer_config(own.settings.kafka.librdkafka(), f"{own.settings.worker.group}-standstill")
        # It must see at once who leads, also where a broker is silent.
        seeing = {"topic.metadata.refresh.interval.ms": 500, "socket.timeout.ms": 2_000, "log_level": 2}
        self._consumer: Any = Consumer({**reader, **seeing})
        self._ends = dict.fromkeys(self._partitions, 0)
        self._grew = dict.fromkeys(self._partitions, time.monotonic())
        self._longest = 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standstill", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def begin(self) -> float:
        """Forget how long anything stood still before; the time."""
        with self._lock:
            now = time.monotonic()
            self._longest = 0.0
            return now

    def all_grew_since(self, moment: float) -> bool:
        """Whether every partition got on after a moment that `begin` gave."""
        with self._lock:
            return min(self._grew.values()) > moment

    def longest(self) -> float:
        """Seconds that the partition which stood longest stood still since `begin`."""
        with self._lock:
            now = time.monotonic()
            return max(self._longest, *(now - grew for grew in self._grew.values()))

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_S):
            for number in self._partitions:
                try:
                    end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=2)[1]
                except KafkaException:
                    continue
                if end > self._ends[number]:
                    self._ends[number] = end
                    with self._lock:
                        now = time.monotonic()
                        self._longest = max(self._longest, now - self._grew[number])
                        self._grew[number] = now
