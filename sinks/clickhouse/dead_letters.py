"""Sends records that cannot be stored to the dead letters, and knows when all of them have arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from confluent_kafka import KafkaException, Producer

from schemas.base import format_timestamp
from schemas.dead_letter import DeadLetter, Reason
from schemas.errors import FatalError
from schemas.kafka import ClientConfig, producer_config
from sinks.clickhouse.metrics import SinkMetrics


class DeadLetterWriter:
    """An idempotent producer of dead letters; safe to use from two threads.

    Args:
        cluster: the brokers.
        topic: where dead letters go.
        now: the clock.
        metrics: what to count.
    """

    def __init__(self, cluster: ClientConfig, topic: str, now: Callable[[], datetime], metrics: SinkMetrics) -> None:
        self._producer = Producer(producer_config(cluster))
        self._topic = topic
        self._now = now
        self._metrics = metrics
        self._lock = threading.Lock()
        self._failed: list[str] = []

    def send(
        self, key: bytes | None, value: bytes | None, topic: str, partition: int, offset: int, reason: str
    ) -> None:
        """Queue one dead letter; `flush` says whether it arrived."""
        letter = DeadLetter(key, value, topic, partition, offset, cast("Reason", reason), format_timestamp(self._now()))
        while True:
            try:
                self._producer.produce(
                    self._topic, letter.value, letter.key, headers=[*letter.headers()], on_delivery=self._delivered
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._metrics.dead_letters.labels(reason).inc()

    def flush(self, timeout: float = 60) -> None:
        """Wait until all dead letters are acknowledged.

        Raises:
            FatalError: one was not: to commit past its record would lose it.
        """
        left = self._producer.flush(timeout)
        with self._lock:
            failed = self._failed[:]
        if left or failed:
            cause = failed[0] if failed else f"no answer within {timeout:g} s"
            raise FatalError(f"{left + len(failed)} dead letters were not acknowledged ({cause}): nothing is committed")

    def _delivered(self, error: Any, _message: object) -> None:
        if error is not None:
            with self._lock:
                self._failed.append(KafkaException(error).args[0].str())
