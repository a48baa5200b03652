"""Watches a running chain from outside: alerts as a responder gets them, visits as an analyst sees them."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.errors import RetryableError
from schemas.kafka import ClientConfig, consumer_config
from sinks.clickhouse.target import ClickHouseTarget

_READ_BACK_S: Final = 60
_PAUSE_SHARE: Final = 0.25
_LONGEST_PAUSE_S: Final = 1.0
_EACH_ONCE: Final = {"use_query_condition_cache": 0}
"""No question is asked twice. What the server would keep of each grew by 9 MB in an hour and a half."""


class _Alert(msgspec.Struct):
    alert_id: str
    level: str
    scanned_at: datetime


@dataclass(slots=True)
class Latencies:
    """Moments and how long something took until then: wall time in ms, and milliseconds."""

    at_ms: list[float] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)

    def add(self, now_ms: float, began_ms: float) -> None:
        self.at_ms.append(now_ms)
        self.took_ms.append(now_ms - began_ms)

    def quantiles(self, since_ms: float = 0, until_ms: float = float("inf")) -> dict[str, float] | None:
        """`p50` and `p99` of what *began* in [since, until); null when nothing did."""
        at, took = np.array(self.at_ms), np.array(self.took_ms)
        began = at - took
        chosen = took[(began >= since_ms) & (began < until_ms)]
        if not len(chosen):
            return None
        return {name: round(float(np.quantile(chosen, q)), 1) for name, q in (("p50", 0.5), ("p99", 0.99))}


class AlertMeter(threading.Thread):
    """Reads every alert topic as a responder would; from a scan's `scanned_at` until its alert is here.

    Args:
        cluster: the brokers.
        topics: alert topics, which must have no alert yet.
    """

    def __init__(self, cluster: ClientConfig, topics: tuple[str, ...]) -> None:
        super().__init__(name="alert-meter", daemon=True)
        group = f"bench-{uuid.uuid4().hex[:8]}"
        self._consumer: Any = Consumer({**consumer_config(cluster, group, fetch_min_bytes=1), "log_level": 2})
        self._topics = topics
        self._decoder = msgspec.json.Decoder(_Alert)
        self._stopping = threading.Event()
        self.by_level: dict[str, Latencies] = {}
        self.ids: set[str] = set()
        self.alerts = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            metadata = self._consumer.list_topics(timeout=10).topics
            self._consumer.assign(
                [TopicPartition(topic, number, 0) for topic in self._topics for number in metadata[topic].partitions]
            )
            while not self._stopping.is_set():
                for message in self._consumer.consume(1000, timeout=0.02):
                    self._take(message)
        except Exception as error:
            self.error = error
        finally:
            self._consumer.close()

    def _take(self, message: Any) -> None:
        if message.error() is not None:
            raise KafkaException(message.error())
        alert = self._decoder.decode(message.value())
        self.alerts += 1
        self.ids.add(alert.alert_id)
        began_ms = alert.scanned_at.timestamp() * 1000
        self.by_level.setdefault(alert.level, Latencies()).add(time.time() * 1000, began_ms)

    def quantiles(self, since_ms: float = 0, until_ms: float = float("inf")) -> dict[str, float] | None:
        """Of red and yellow alerts together: a review alert may repeat an older one and is not sent then."""
        both = Latencies()
        for level in ("red", "yellow"):
            found = self.by_level.get(level, Latencies())
            both.at_ms += found.at_ms
            both.took_ms += found.took_ms
        return both.quantiles(since_ms, until_ms)

    def stop(self) -> None:
        """End the thread and leave.

        Raises:
            Exception: what ended it before.
        """
        self._stopping.set()
        self.join(timeout=10)
        if self.error is not None:
            raise self.error


class RowMeter(threading.Thread):
    """Asks ClickHouse again and again for the visits of a few people; from `scanned_at` until the answer has the visit.

    What it finds is too large by up to one pause between two questions. Where rows take long the pause is a quarter of
    what the latest took, a second at most: a question costs ClickHouse as much as some thousand rows do.

    Args:
        target: the server and the database.
        tokens: of the people, 32 hex digits.
        pause_s: between an answer and the next question, at least.
    """

    def __init__(self, target: ClickHouseTarget, tokens: Sequence[str], pause_s: float) -> None:
        super().__init__(name="row-meter", daemon=True)
        # Where ClickHouse is stopped on purpose, the driver would log every question in vain.
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        self._target, self._pause_s = target, pause_s
        people = ", ".join(f"unhex('{token}')" for token in tokens)
        self._statement = (
            "SELECT toUnixTimestamp64Milli(scanned_at) FROM visits "
            f"WHERE person_token IN ({people}) AND scanned_at >= fromUnixTimestamp64Milli({{since:Int64}})"
        )
        self._seen: set[int] = set()
        self._stopping = threading.Event()
        self.rows = Latencies()
        self.question_ms: list[float] = []

    def run(self) -> None:
        since, client = 0, None
        while not self._stopping.wait(self._pause()):
            try:
                client = client or self._target.client()
                began = time.perf_counter()
                answer = client.query(self._statement, {"since": since}, settings=_EACH_ONCE).result_rows
            except (ClickHouseError, RetryableError, OSError):  # it is away; whoever measures that has stopped it
                client = None
                continue
            self.question_ms.append((time.perf_counter() - began) * 1000)
            now_ms = time.time() * 1000
            for (scanned_ms,) in answer:
                if scanned_ms not in self._seen:
                    self._seen.add(scanned_ms)
                    self.rows.add(now_ms, scanned_ms)
            since = max(self._seen, default=0) - _READ_BACK_S * 1000
        if client is not None:
            client.close()

    def _pause(self) -> float:
        latest_s = self.rows.took_ms[-1] / 1000 if self.rows.took_ms else 0.0
        return max(self._pause_s, min(_LONGEST_PAUSE_S, _PAUSE_SHARE * latest_s))

    @property
    def seen(self) -> int:
        """Visits seen so far; two at the same millisecond count once."""
        return len(self._seen)

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self.join(timeout=30)
