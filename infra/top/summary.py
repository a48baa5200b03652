"""What is told about a worker and a sink: plain values, for the screen and for `--json` alike."""

from __future__ import annotations

from typing import Any

from infra.top.samples import Moment, mean, quantile, rate

Summary = dict[str, Any]
_W, _S = "venuecode_worker_", "venuecode_sink_"
_MIB = 2**20


def kind_of(now: Moment) -> str | None:
    """`worker` or `sink`; null: neither, or nobody answered."""
    for kind in ("worker", "sink"):
        if now.samples(f"venuecode_{kind}_partitions"):
            return kind
    return None


def worker(before: Moment, earlier: Moment, now: Moment) -> Summary:
    """A worker.

    Args:
        before: a few seconds ago: rates count from it.
        earlier: as long ago as quantiles and means shall reach.
        now: the latest.
    """
    return {
        "ready": bool(now.total(f"{_W}ready")),
        "partitions": int(now.total(f"{_W}partitions")),
        "scans_per_s": round(rate(before, now, f"{_W}scans_total"), 1),
        "visits_per_s": round(rate(before, now, f"{_W}visits_total"), 1),
        "decisions_per_s": {
            decision: round(rate(before, now, f"{_W}decisions_total", decision=decision), 1)
            for decision in now.by(f"{_W}decisions_total", "decision")
        },
        "alerts": _whole(now.by(f"{_W}alerts_total", "level")),
        "alerts_per_s": round(rate(before, now, f"{_W}alerts_total"), 1),
        "scan_to_alert_ms": _quantiles(earlier, now, f"{_W}alert_seconds"),
        "lag_records": int(now.total(f"{_W}lag_records")),
        "lag_s": _worst(now.by(f"{_W}lag_seconds", "partition")),
        "lag_by_partition": _whole(now.by(f"{_W}lag_records", "partition")),
        "batch_rows": _rounded(mean(earlier, now, f"{_W}batch_rows")),
        "batch_ms": _quantiles(earlier, now, f"{_W}batch_seconds"),
        "delivery_ms": _quantiles(earlier, now, f"{_W}delivery_seconds"),
        "dead_letters": _whole(now.by(f"{_W}dead_letters_total", "reason")),
        "statuses": int(now.total(f"{_W}statuses")),
        "status_mb": round(now.total(f"{_W}status_bytes") / _MIB, 1),
        "status_age_s": round(now.total(f"{_W}status_age_seconds"), 1),
        "venues": int(now.total(f"{_W}venues")),
        **_process(before, now),
    }


def sink(before: Moment, earlier: Moment, now: Moment) -> Summary:
    """A sink; the arguments are those of `worker`."""
    return {
        "clickhouse_up": bool(now.total(f"{_S}clickhouse_up")),
        "partitions": int(now.total(f"{_S}partitions")),
        "records_per_s": round(rate(before, now, f"{_S}records_total"), 1),
        "rows_per_s": round(rate(before, now, f"{_S}rows_total"), 1),
        "visits": int(now.total(f"{_S}rows_total", kind="visits")),
        "lag_records": int(now.total(f"{_S}lag_records")),
        "lag_s": _worst(now.by(f"{_S}lag_seconds", "partition")),
        "lag_by_topic": _whole(now.by(f"{_S}lag_records", "topic")),
        "buffered_rows": int(now.total(f"{_S}buffered_rows")),
        "batch_rows": _rounded(mean(earlier, now, f"{_S}batch_rows")),
        "batch_ms": _quantiles(earlier, now, f"{_S}batch_seconds"),
        "insert_ms": _quantiles(earlier, now, f"{_S}insert_seconds"),
        "parts": _whole(now.by(f"{_S}parts", "table")),
        "retries": int(now.total(f"{_S}retries_total")),
        "rows_found_again": int(now.total(f"{_S}rows_found_total")),
        "dead_letters": _whole(now.by(f"{_S}dead_letters_total", "reason")),
        **_process(before, now),
    }


def _process(before: Moment, now: Moment) -> Summary:
    return {
        "cpu_percent": round(100 * rate(before, now, "process_cpu_seconds_total"), 1),
        "rss_mb": round(now.total("process_resident_memory_bytes") / _MIB),
        "open_files": int(now.total("process_open_fds")),
    }


def _quantiles(before: Moment, now: Moment, name: str) -> dict[str, float] | None:
    p50, p99 = (quantile(before, now, name, q) for q in (0.5, 0.99))
    return None if p50 is None or p99 is None else {"p50": round(p50 * 1000, 1), "p99": round(p99 * 1000, 1)}


def _whole(values: dict[str, float]) -> dict[str, int]:
    return {name: int(value) for name, value in sorted(values.items())}


def _worst(values: dict[str, float]) -> float:
    return round(max(values.values(), default=0.0), 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
