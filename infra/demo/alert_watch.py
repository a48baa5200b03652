"""A responder's subscription to the alert topics, with the time each alert took."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.alert import Alert
from schemas.errors import RejectError
from schemas.fast import FastDecoder
from schemas.kafka import ClientConfig, consumer_config

_PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT}


@dataclass(frozen=True, slots=True)
class SeenAlert:
    """An alert as it reached a subscriber.

    Attributes:
        latency_ms: from the scan's arrival in Kafka to the alert's arrival here; None without the header.
    """

    alert: Alert
    latency_ms: float | None


class AlertWatch(threading.Thread):
    """Reads the alert topics from their beginning; `drain()` hands over what came since the last call.

    Args:
        cluster: the brokers.
        topics: alert topics.
    """

    def __init__(self, cluster: ClientConfig, topics: tuple[str, ...]) -> None:
        super().__init__(name="alert-watch", daemon=True)
        group = f"venuecode-demo-{uuid.uuid4().hex[:8]}"
        self._consumer = Consumer({**consumer_config(cluster, group, fetch_wait_max_ms=5), "log_level": 2})
        self._topics = topics
        self._decoder = FastDecoder(Alert)
        self._lock = threading.Lock()
        self._seen: list[SeenAlert] = []
        self._positions: dict[tuple[str, int], int] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        # All partitions by hand: a subscription would wait for a group's rebalance first.
        metadata = self._consumer.list_topics(timeout=10)
        self._consumer.assign(
            [TopicPartition(topic, number, 0) for topic in self._topics for number in metadata.topics[topic].partitions]
        )
        while not self._stopping.is_set():
            for message in self._consumer.consume(500, timeout=0.02):
                self._take(message, time.time() * 1000)
        self._consumer.close()

    def _take(self, message: Message, now_ms: float) -> None:
        error = message.error()
        if error is not None:
            if error.retriable() or error.code() in _PASSING:
                return  # a broker is away; the client comes back to it by itself
            raise KafkaException(error)
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        appended = dict(message.headers() or []).get("scan_appended_at")
        try:
            alert = self._decoder.decode(message.value())
        except RejectError:
            return
        with self._lock:
            self._seen.append(SeenAlert(alert, None if appended is None else now_ms - float(appended)))
            self._positions[str(topic), int(partition or 0)] = int(offset or 0) + 1

    def drain(self) -> list[SeenAlert]:
        """Alerts seen since the last call, oldest first."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def position(self, topic: str, partition: int) -> int:
        """The next offset to be read."""
        with self._lock:
            return self._positions.get((topic, partition), 0)

    def stop(self) -> None:
        """End the thread and leave."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=5)
