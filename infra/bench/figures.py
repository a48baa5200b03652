"""The figures a measurement may have: one name, one unit, one meaning, in every benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

Run = dict[str, Any]
"""What one run measured: figures by name, a number each, or `{"p50", "p99"}`; beside them whatever else explains it."""

FIGURES: Final[Mapping[str, str]] = {
    "events_per_s": "events/s",
    "rows_per_s": "rows/s",
    "fill_per_s": "filled/s",
    "updates_per_s": "updates/s",
    "lookups_per_s": "look-ups/s",
    "alerts_per_s": "alerts/s",
    "cpu_s_per_million": "CPU-s per million",
    "bytes_per_person": "bytes a person",
    "scan_to_alert_ms": "scan to alert ms (p50 / p99)",
    "scan_to_row_ms": "scan to row ms (p50 / p99)",
    "restart_s": "restart s",
    "lag_s": "lag s",
    "commit_behind_s": "commits behind s",
    "peak_rss_mb": "peak MB",
}
"""Name in JSON and title in a table, in the order of the columns."""

RATES: Final = ("events_per_s", "rows_per_s", "alerts_per_s", "updates_per_s", "fill_per_s")
"""Figures of which more is better; the first that a benchmark has is the one its variants are compared by."""


def medians(runs: Sequence[Run]) -> Run:
    """The median of every figure that every run has; quantile by quantile where a figure has some."""
    found: Run = {}
    for name in FIGURES:
        values = [run[name] for run in runs if run.get(name) is not None]
        if values and len(values) == len(runs):
            found[name] = _over_leaves(values, statistics.median)
    return found


def spread(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The smallest and the largest of every figure that has a median."""
    return {
        name: [_over_leaves([run[name] for run in runs], choose) for choose in (min, max)] for name in medians(runs)
    }


def compared_by(runs: Sequence[Run]) -> str | None:
    """The rate that a benchmark's variants are compared by, or None when it measures no rate."""
    return next((name for name in RATES if name in medians(runs)), None)


def text(value: Any) -> str:
    """A figure as a table shows it."""
    if isinstance(value, Mapping):
        return " / ".join(text(each) for each in value.values())
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _over_leaves(values: Sequence[Any], summarise: Any) -> Any:
    if isinstance(values[0], Mapping):
        return {key: _over_leaves([value[key] for value in values], summarise) for key in values[0]}
    return round(float(summarise(values)), 2)
