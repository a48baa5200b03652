"""The sink's metrics: a closed list, each with its unit."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector


class SinkMetrics:
    """One set of metrics in a registry of its own; no label ever carries a person, a venue or an area."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.records = self._counter("records", "Records read, by kind", "kind")
        self.rows = self._counter("rows", "Rows whose insert ClickHouse acknowledged, by kind", "kind")
        self.batches = self._counter("batches", "Batches written and acknowledged")
        self.retries = self._counter("retries", "Attempts that failed and were made again, by reason", "reason")
        self.read_backs = self._counter("read_backs", "Times that rows were looked for in ClickHouse before an insert")
        self.rows_found = self._counter("rows_found", "Rows that a read-back found already stored")
        self.dead_letters = self._counter("dead_letters", "Records set aside, by reason", "reason")
        self.commits = self._counter("commits", "Offset commits that the brokers acknowledged")
        self.commit_failures = self._counter(
            "commit_failures", "Offset commits that failed; the records are read again"
        )
        self.buffered_rows = self._gauge("buffered_rows", "Rows read and not yet acknowledged by ClickHouse")
        self.buffered_bytes = self._gauge("buffered_bytes", "Bytes of them")
        self.partitions = self._gauge("partitions", "Partitions assigned")
        self.clickhouse_up = self._gauge("clickhouse_up", "1 when the last statement was answered, 0 when not")
        self.insert_seconds = Histogram(
            "venuecode_sink_insert_seconds",
            "Seconds an insert took until ClickHouse acknowledged it",
            registry=self.registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"venuecode_sink_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"venuecode_sink_{name}", text, registry=self.registry)
