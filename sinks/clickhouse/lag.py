"""How far the sink is behind, partition by partition, from what its own consumer knows: no question to the brokers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer

from sinks.clickhouse.batch import Batch
from sinks.clickhouse.metrics import SinkMetrics

_LOOK_EVERY_S: Final = 1.0


class Lag:
    """Sets the lag's gauges.

    Args:
        consumer: the sink's; asked in the thread that calls `look`.
        metrics: the sink's.
    """

    def __init__(self, consumer: Consumer, metrics: SinkMetrics) -> None:
        self._consumer = consumer
        self._metrics = metrics
        self._looked = 0.0

    def look(self, batches: Sequence[Batch]) -> None:
        """Look once a second at most.

        Args:
            batches: what is not acknowledged yet, oldest first.
        """
        if time.monotonic() - self._looked < _LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        oldest: dict[tuple[str, int], tuple[int, int]] = {}
        for batch in reversed(batches):
            oldest.update(batch.first)
        for position in self._consumer.position(self._consumer.assignment()):
            topic, number = position.topic, position.partition
            offset, appended_ms = oldest.get((topic, number), (position.offset, 0))
            _, high = self._consumer.get_watermark_offsets(position, cached=True)
            if min(offset, high) < 0:
                continue  # nothing was fetched from it yet
            age = max(0.0, time.time() - appended_ms / 1000) if appended_ms else 0.0
            self._metrics.lag_records.labels(topic, number).set(max(0, high - offset))
            self._metrics.lag_seconds.labels(topic, number).set(age)

    def forget(self) -> None:
        """No partition is assigned."""
        self._metrics.lag_records.clear()
        self._metrics.lag_seconds.clear()
