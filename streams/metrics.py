"""The worker's metrics: a closed list, each with its unit and meaning. No label ever holds a person token."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_ROWS = (1, 2, 5, 10, 50, 100, 500, 1000, 2000, 4000, 10_000)


class WorkerMetrics:
    """All metrics of one worker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        name = "venuecode_worker_"
        self.scans = Counter(f"{name}scans", "Scan records read, bad ones included", registry=registry)
        self.visits = Counter(f"{name}visits", "Visits acknowledged by Kafka", registry=registry)
        self.alerts = Counter(f"{name}alerts", "Alerts produced", ["level"], registry=registry)
        self.alerts_repeated = Counter(
            f"{name}alerts_repeated", "Alerts not sent because their id was raised before", ["level"], registry=registry
        )
        self.dead_letters = Counter(
            f"{name}dead_letters", "Records set aside, of all topics read", ["topic", "reason"], registry=registry
        )
        self.batch_rows = Histogram(f"{name}batch_rows", "Scans in a batch", buckets=_ROWS, registry=registry)
        self.batch_seconds = Histogram(
            f"{name}batch_seconds", "Seconds of work on a batch: decode to produce", buckets=_SECONDS, registry=registry
        )
        self.delivery_seconds = Histogram(
            f"{name}delivery_seconds",
            "Seconds from produce until a batch's outputs were acknowledged",
            buckets=_SECONDS,
            registry=registry,
        )
        self.scan_age_seconds = Histogram(
            f"{name}scan_age_seconds",
            "Seconds from the append of a batch's first scan until its outputs were acknowledged",
            buckets=(*_SECONDS, 30, 60, 600, 3600),
            registry=registry,
        )
        self.partitions = Gauge(f"{name}partitions", "Partitions of the scans owned", registry=registry)
        self.lag = Gauge(f"{name}lag", "Scans of owned partitions not yet committed", registry=registry)
        self.statuses = Gauge(f"{name}statuses", "Persons with a status in the store", registry=registry)
        self.venues = Gauge(f"{name}venues", "Venues in the directory", registry=registry)
        self.ready = Gauge(f"{name}ready", "1 when statuses and venues are caught up, else 0", registry=registry)
