"""The ledger of what was sent: for every acknowledged record its place, and what it must have led to."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

from confluent_kafka import KafkaException, Producer

from schemas.kafka import ClientConfig, producer_config
from tests.faults.load import BadScan, GoodScan, Slice

Place = tuple[int, int]
"""Partition and offset of a record on the topic of the scans."""


class Ledger:
    """What was sent and acknowledged; one thread writes it."""

    def __init__(self) -> None:
        self.good: dict[Place, GoodScan] = {}
        self.bad: dict[Place, BadScan] = {}

    def note(self, place: Place, expected: GoodScan | BadScan) -> None:
        """A record lies at this place."""
        if isinstance(expected, GoodScan):
            self.good[place] = expected
        else:
            self.bad[place] = expected

    @property
    def alerts(self) -> dict[str, set[str]]:
        """The ids of all alerts that must have been raised, by level."""
        found: dict[str, set[str]] = defaultdict(set)
        for good in self.good.values():
            if good.alert is not None:
                level, identity = good.alert
                found[level].add(identity)
        return found

    def keep(self, places: set[Place]) -> None:
        """Forget what lies elsewhere: compaction took it away before anybody read it."""
        self.good = {place: expected for place, expected in self.good.items() if place in places}
        self.bad = {place: expected for place, expected in self.bad.items() if place in places}

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)


class Sender:
    """Sends slices, and notes in the ledger what the brokers acknowledged, with its offset.

    The producer is idempotent and waits through any fault of a round: nothing is sent twice, and nothing is unknown at
    the end (`flush` says so).

    Args:
        cluster: the brokers.
        topic: of the scans.
        ledger: written on acknowledgement.
        **overrides: librdkafka settings of the producer, with `_` for `.`.
    """

    def __init__(self, cluster: ClientConfig, topic: str, ledger: Ledger, **overrides: str | int) -> None:
        self._topic = topic
        self._ledger = ledger
        self._failed: list[str] = []
        self._lock = threading.Lock()
        self._producer: Any = Producer(
            {**producer_config(cluster, **{"message_timeout_ms": 600_000, **overrides}), "log_level": 2}
        )

    @property
    def producer(self) -> Any:
        """For transactions."""
        return self._producer

    def send(self, part: Slice) -> None:
        """Queue all records of a slice."""
        for (key, value), leads_to in zip(part.records, part.expected, strict=True):
            while True:
                try:
                    self._producer.produce(self._topic, key=key, value=value, on_delivery=self._report(leads_to))
                    break
                except BufferError:
                    self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self, timeout: float = 600) -> None:
        """Wait until everything is acknowledged.

        Raises:
            KafkaException: a record was not.
        """
        left = self._producer.flush(timeout)
        if left or self._failed:
            raise KafkaException(f"{left + len(self._failed)} records were not acknowledged: {self._failed[:1]}")

    def _report(self, expected: GoodScan | BadScan) -> Any:
        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                self._failed.append(error.str())
            else:
                with self._lock:
                    self._ledger.note((message.partition(), message.offset()), expected)

        return delivered
