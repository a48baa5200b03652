"""The worker's metrics, of the closed list in `schemas.metrics`. Counted by the batch; no label holds a token."""

from __future__ import annotations

import time
from collections import Counter

from schemas.metric_registry import MetricRegistry
from schemas.metrics import EXPORTED


class WorkerMetrics:
    """All metrics of one worker, in a registry of its own."""

    def __init__(self) -> None:
        make = MetricRegistry("venuecode_worker_", EXPORTED["worker"])
        self.registry = make.registry
        self.scans = make.counter("scans")
        self.visits = make.counter("visits")
        self.decisions = make.counter("decisions")
        self.alerts = make.counter("alerts")
        self.alerts_repeated = make.counter("alerts_repeated")
        self.dead_letters = make.counter("dead_letters")
        self.batch_rows = make.histogram("batch_rows")
        self.batch_seconds = make.histogram("batch_seconds")
        self.delivery_seconds = make.histogram("delivery_seconds")
        self.scan_age_seconds = make.histogram("scan_age_seconds")
        self.alert_seconds = make.many("alert_seconds")
        self.partitions = make.gauge("partitions")
        self.lag_records = make.gauge("lag_records")
        self.lag_seconds = make.gauge("lag_seconds")
        self.clock_ahead_seconds = make.gauge("clock_ahead_seconds")
        self.statuses = make.gauge("statuses")
        self.status_bytes = make.gauge("status_bytes")
        self.status_age_seconds = make.gauge("status_age_seconds")
        self.venues = make.gauge("venues")
        self.ready = make.gauge("ready")
        self._finished_ms: dict[int, int] = {}

    def decided(self, decisions: Counter[str]) -> None:
        """Count a batch's decisions."""
        for decision, count in decisions.items():
            self.decisions.labels(decision).inc(count)

    def finished(self, partition: int, appended_ms: int) -> None:
        """A batch is acknowledged: its last scan was appended at this moment, epoch milliseconds."""
        self._finished_ms[partition] = appended_ms

    def lag(self, partition: int, records: int, *, waits: bool) -> None:
        """How far a partition is behind; `waits`: scans are there that are not finished."""
        finished = self._finished_ms.get(partition)
        self.lag_records.labels(partition).set(records)
        age = 0.0 if finished is None or not waits else max(0.0, time.time() - finished / 1000)
        self.lag_seconds.labels(partition).set(age)

    def owns(self, partitions: frozenset[int]) -> None:
        """These partitions are owned from now on; of others nothing is shown."""
        self.partitions.set(len(partitions))
        self.lag_records.clear()
        self.lag_seconds.clear()
        self._finished_ms.clear()
