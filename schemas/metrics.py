"""Every metric that a process of ours exports: a closed list, each with its unit, its meaning and its labels.

A test holds the processes against it, `docs/metrics.md` is made from it. No label ever has a person's token, a venue or
an area as its value: all values are known beforehand, or count partitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from schemas.alert import AlertLevel
from schemas.dead_letter import REASONS

Kind = Literal["counter", "gauge", "histogram"]
Values = tuple[str, ...] | str
"""What a label may be: these values, or, where it is text, what bounds them."""

_PARTITION: Final = "number of a partition"
_TOPIC: Final = "name of a topic of the platform"
_ROWS: Final = (1, 2, 5, 10, 50, 100, 500, 1000, 2000, 4000, 10_000)
_SINK_ROWS: Final = (1, 10, 100, 1000, 10_000, 50_000, 100_000, 200_000, 500_000)
_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_LONG_SECONDS: Final = (*_SECONDS, 30, 60, 600, 3600)
_INSERT_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_ALERT_SECONDS: Final = (
    *(0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3),
    *(0.4, 0.5, 0.75, 1, 2, 5, 10, 60, 600, 3600),
)
"""Close together up to what is promised: 50, 100 and 250 ms."""

DECISIONS: Final = ("admit", "refuse", "isolate", "check")
SINK_KINDS: Final = ("visits", "alerts", "venues", "health", "windows")
TABLES: Final = ("visits", "visits_by_place", "alerts", "venues", "health_changes", "exposure_windows")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as exported, without the `_total` of a counter.
        kind: counters only grow, gauges are what is now, histograms count by `buckets`.
        unit: of the value.
        meaning: what it counts or measures.
        labels: by name, what their values may be.
        buckets: upper bounds of a histogram.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    labels: Mapping[str, Values] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def exported_name(self) -> str:
        """With the `_total` of a counter."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


_LEVEL: Final = {"level": get_args(AlertLevel)}
_BY_PARTITION: Final = {"partition": _PARTITION}
_BY_TOPIC_PARTITION: Final = {"topic": _TOPIC, "partition": _PARTITION}
_KIND: Final = {"kind": SINK_KINDS}

PROCESS: Final = (
    Metric("process_virtual_memory_bytes", "gauge", "bytes", "Virtual memory of the process"),
    Metric("process_resident_memory_bytes", "gauge", "bytes", "Resident memory of the process"),
    Metric("process_start_time_seconds", "gauge", "s since 1970", "When the process began: a change is a restart"),
    Metric("process_cpu_seconds", "counter", "s", "User and system time of the process"),
    Metric("process_open_fds", "gauge", "file handles", "Open file handles of the process"),
    Metric("process_max_fds", "gauge", "file handles", "File handles that it may have"),
)
"""Of every process, on Linux."""

WORKER: Final = (
    Metric("venuecode_worker_scans", "counter", "records", "Scans read, bad ones included"),
    Metric("venuecode_worker_visits", "counter", "records", "Visits acknowledged by Kafka"),
    Metric("venuecode_worker_decisions", "counter", "scans", "Decisions made", labels={"decision": DECISIONS}),
    Metric("venuecode_worker_alerts", "counter", "records", "Alerts produced", labels=_LEVEL),
    Metric(
        "venuecode_worker_alerts_repeated",
        "counter",
        "records",
        "Alerts not sent: their id was raised before",
        labels=_LEVEL,
    ),
    Metric(
        "venuecode_worker_dead_letters",
        "counter",
        "records",
        "Records set aside",
        labels={"topic": _TOPIC, "reason": REASONS},
    ),
    Metric("venuecode_worker_batch_rows", "histogram", "records", "Scans in a batch", buckets=_ROWS),
    Metric("venuecode_worker_batch_seconds", "histogram", "s", "Work on a batch: decode to produce", buckets=_SECONDS),
    Metric(
        "venuecode_worker_delivery_seconds",
        "histogram",
        "s",
        "From produce until all of a batch was acknowledged",
        buckets=_SECONDS,
    ),
    Metric(
        "venuecode_worker_scan_age_seconds",
        "histogram",
        "s",
        "From the append of a batch's first scan until all of it was acknowledged",
        buckets=_LONG_SECONDS,
    ),
    Metric(
        "venuecode_worker_alert_seconds",
        "histogram",
        "s",
        "Scan to alert: from the append of a scan until its alert was acknowledged",
        buckets=_ALERT_SECONDS,
    ),
    Metric("venuecode_worker_partitions", "gauge", "partitions", "Partitions of the scans that are owned"),
    Metric(
        "venuecode_worker_lag_records",
        "gauge",
        "records",
        "Scans not yet committed, as the brokers say",
        labels=_BY_PARTITION,
    ),
    Metric(
        "venuecode_worker_lag_seconds",
        "gauge",
        "s",
        "Age of the newest finished scan while later ones wait; 0 when none waits",
        labels=_BY_PARTITION,
    ),
    Metric(
        "venuecode_worker_clock_ahead_seconds",
        "gauge",
        "s",
        "How far the worker's clock is ahead of the brokers', negative when behind; 0 before it is known",
    ),
    Metric("venuecode_worker_statuses", "gauge", "persons", "Persons with a status in the store"),
    Metric("venuecode_worker_status_bytes", "gauge", "bytes", "Memory of the status store"),
    Metric(
        "venuecode_worker_status_age_seconds",
        "gauge",
        "s",
        "Since the newest status that was read was appended to its topic",
    ),
    Metric("venuecode_worker_venues", "gauge", "venues", "Venues in the directory"),
    Metric("venuecode_worker_ready", "gauge", "0 or 1", "1 when statuses and venues are caught up"),
)

SINK: Final = (
    Metric("venuecode_sink_records", "counter", "records", "Records read", labels=_KIND),
    Metric("venuecode_sink_rows", "counter", "rows", "Rows whose insert ClickHouse acknowledged", labels=_KIND),
    Metric("venuecode_sink_batches", "counter", "batches", "Batches written and acknowledged"),
    Metric("venuecode_sink_batch_rows", "histogram", "rows", "Rows in a batch", buckets=_SINK_ROWS),
    Metric(
        "venuecode_sink_batch_seconds",
        "histogram",
        "s",
        "From a batch's first record until all of it was acknowledged",
        buckets=_INSERT_SECONDS,
    ),
    Metric(
        "venuecode_sink_retries",
        "counter",
        "attempts",
        "Attempts that failed and were made again",
        labels={"reason": ("count", "unavailable")},
    ),
    Metric("venuecode_sink_read_backs", "counter", "questions", "Times that rows were looked for before an insert"),
    Metric("venuecode_sink_rows_found", "counter", "rows", "Rows that a read-back found already stored"),
    Metric("venuecode_sink_dead_letters", "counter", "records", "Records set aside", labels={"reason": REASONS}),
    Metric("venuecode_sink_commits", "counter", "commits", "Offset commits that the brokers acknowledged"),
    Metric(
        "venuecode_sink_commit_failures", "counter", "commits", "Offset commits that failed: the records are read again"
    ),
    Metric("venuecode_sink_buffered_rows", "gauge", "rows", "Rows read and not yet acknowledged by ClickHouse"),
    Metric("venuecode_sink_buffered_bytes", "gauge", "bytes", "Bytes of them"),
    Metric("venuecode_sink_partitions", "gauge", "partitions", "Partitions assigned"),
    Metric(
        "venuecode_sink_lag_records",
        "gauge",
        "records",
        "Records not yet acknowledged by ClickHouse",
        labels=_BY_TOPIC_PARTITION,
    ),
    Metric(
        "venuecode_sink_lag_seconds",
        "gauge",
        "s",
        "Age of the oldest record read and not yet acknowledged; 0 when there is none",
        labels=_BY_TOPIC_PARTITION,
    ),
    Metric("venuecode_sink_clickhouse_up", "gauge", "0 or 1", "1 when the last statement was answered"),
    Metric(
        "venuecode_sink_insert_seconds",
        "histogram",
        "s",
        "Of an insert until ClickHouse acknowledged it",
        buckets=_INSERT_SECONDS,
    ),
    Metric(
        "venuecode_sink_parts",
        "gauge",
        "parts",
        "Active parts of a table, looked at every few seconds",
        labels={"table": TABLES},
    ),
)

EXPORTED: Final[Mapping[str, tuple[Metric, ...]]] = {"worker": (*WORKER, *PROCESS), "sink": (*SINK, *PROCESS)}
"""By process, all that it exports."""
