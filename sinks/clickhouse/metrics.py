"""The sink's metrics, of the closed list in `schemas.metrics`; no label ever carries a person, a venue or an area."""

from __future__ import annotations

from schemas.metric_registry import MetricRegistry
from schemas.metrics import EXPORTED


class SinkMetrics:
    """All metrics of one sink, in a registry of its own."""

    def __init__(self) -> None:
        make = MetricRegistry("venuecode_sink_", EXPORTED["sink"])
        self.registry = make.registry
        self.records = make.counter("records")
        self.rows = make.counter("rows")
        self.batches = make.counter("batches")
        self.batch_rows = make.histogram("batch_rows")
        self.batch_seconds = make.histogram("batch_seconds")
        self.retries = make.counter("retries")
        self.read_backs = make.counter("read_backs")
        self.rows_found = make.counter("rows_found")
        self.dead_letters = make.counter("dead_letters")
        self.commits = make.counter("commits")
        self.commit_failures = make.counter("commit_failures")
        self.buffered_rows = make.gauge("buffered_rows")
        self.buffered_bytes = make.gauge("buffered_bytes")
        self.partitions = make.gauge("partitions")
        self.lag_records = make.gauge("lag_records")
        self.lag_seconds = make.gauge("lag_seconds")
        self.clickhouse_up = make.gauge("clickhouse_up")
        self.insert_seconds = make.histogram("insert_seconds")
        self.parts = make.gauge("parts")
