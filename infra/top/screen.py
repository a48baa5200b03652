"""The picture: a column a process, a line a figure, so that a narrow terminal takes it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_Show = Callable[[Any], str]
_REASONS: Final = 2


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _quantiles(value: Mapping[str, float] | None) -> str:
    return "-" if value is None else f"{value['p50']:,.0f} / {value['p99']:,.0f}"


def _yes(value: bool) -> str:
    return "yes" if value else "[bold red]no[/]"


def _each(value: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_rate(number)}" for name, number in value.items() if number) or "-"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else _rate(value)


def _letters(value: Mapping[str, int]) -> str:
    most = sorted(value.items(), key=lambda item: -item[1])
    text = _each(dict(most[:_REASONS])) + (", ..." if len(most) > _REASONS else "")
    return f"[yellow]{sum(value.values()):,}[/] ({text})" if most else "0"


def _lag(summary: Mapping[str, Any]) -> str:
    text = f"{summary['lag_records']:,} ({summary['lag_s']:.1f} s)"
    return f"[bold red]{text}[/]" if summary["lag_s"] > 10 else text


_PROCESS: Final = (
    ("CPU %", "cpu_percent", _count),
    ("memory MB", "rss_mb", _count),
    ("files", "open_files", _count),
    ("restarts seen", "restarts_seen", _count),
)
_WORKER: Final[Sequence[tuple[str, str, _Show]]] = (
    ("ready", "ready", _yes),
    ("partitions", "partitions", _count),
    ("scans/s", "scans_per_s", _rate),
    ("visits/s", "visits_per_s", _rate),
    ("decisions/s", "decisions_per_s", _each),
    ("alerts", "alerts", _each),
    ("scan to alert ms", "scan_to_alert_ms", _quantiles),
    ("lag", "", str),
    ("scans a batch", "batch_rows", _or_dash),
    ("batch ms", "batch_ms", _quantiles),
    ("delivery ms", "delivery_ms", _quantiles),
    ("dead letters", "dead_letters", _letters),
    ("statuses", "statuses", _count),
    ("status store MB", "status_mb", _rate),
    ("newest status s ago", "status_age_s", _count),
    ("venues", "venues", _count),
    *_PROCESS,
)
_SINK: Final[Sequence[tuple[str, str, _Show]]] = (
    ("ClickHouse answers", "clickhouse_up", _yes),
    ("partitions", "partitions", _count),
    ("records/s", "records_per_s", _rate),
    ("rows/s", "rows_per_s", _rate),
    ("visits stored", "visits", _count),
    ("lag", "", str),
    ("rows waiting", "buffered_rows", _count),
    ("rows a batch", "batch_rows", _or_dash),
    ("batch ms", "batch_ms", _quantiles),
    ("insert ms", "insert_ms", _quantiles),
    ("parts", "parts", _each),
    ("retries", "retries", _count),
    ("dead letters", "dead_letters", _letters),
    *_PROCESS,
)


def screen(found: Mapping[str, Any], at: datetime) -> RenderableType:
    """Everything that was found, with the time it was asked."""
    parts: list[RenderableType] = [Text(f"venuecode top  {at:%H:%M:%S}  (ms: p50 / p99)", style="bold")]
    if found["workers"]:
        parts.append(_table("worker", found["workers"], _WORKER))
    if found["sinks"]:
        parts.append(_table("sink", found["sinks"], _SINK))
    brokers = found.get("brokers")
    if brokers is not None:
        parts.append(
            Text(
                f"brokers: {brokers['scans_uncommitted']:,} scans not committed by workers, "
                f"{brokers['visits_uncommitted']:,} visits not committed by sinks"
            )
        )
    return Group(*parts)


def _table(kind: str, summaries: Sequence[Mapping[str, Any]], lines: Sequence[tuple[str, str, _Show]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold cyan")
    table.add_column(kind, no_wrap=True)
    for each in summaries:
        name = Path(each["name"]).stem
        table.add_column(name if name.endswith(str(each["port"])) else f"{name} :{each['port']}", overflow="fold")
    for title, key, show in lines:
        table.add_row(title, *(show(each[key]) if key else _lag(each) for each in summaries))
    return table
