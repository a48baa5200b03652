"""The demo's screen: one pure function from the state to what rich draws. Every colour is also a word."""

from __future__ import annotations

from datetime import tzinfo

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from infra.demo.state import Case, DemoState
from schemas.alert import Alert

_LEVELS = {"red": ("RED 红", "bold red"), "yellow": ("YELLOW 黄", "bold yellow"), "review": ("CHECK 查验", "bold cyan")}


def level_text(level: str) -> Text:
    """A level as a coloured word."""
    word, style = _LEVELS[level]
    return Text(f"● {word}", style=style)


def _number(label: str, value: str, hint: str = "") -> Panel:
    body = Text(value, style="bold", justify="center")
    return Panel(body, title=label, subtitle=hint or None, width=19, box=box.ROUNDED)


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"


def _numbers(state: DemoState) -> RenderableType:
    latency = state.latency()
    return Columns(
        [
            _number("scans/s", f"{state.scans_per_s:,.0f}"),
            _number("scans sent", f"{state.scans_sent:,}"),
            _number("visits stored", f"{state.visits_stored:,}", f"lag {state.sink_lag:,}"),
            _number("alert p50", _milliseconds(latency["p50"]), "scan to alert"),
            _number("alert p99", _milliseconds(latency["p99"]), f"worker lag {state.worker_lag:,}"),
            _number("dead letters", f"{state.dead_letters:,}", f"{state.bad_sent:,} bad sent"),
        ],
        padding=(0, 0),
    )


def _alert_row(alert: Alert, zone: tzinfo) -> tuple[str | Text, ...]:
    return (
        alert.scanned_at.astimezone(zone).strftime("%H:%M:%S"),
        level_text(alert.level),
        alert.venue_name,
        alert.area_code,
        alert.action.en,
    )


def _alerts(state: DemoState) -> RenderableType:
    table = Table(box=None, expand=True, header_style="dim", pad_edge=False)
    table.add_column("scanned", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("venue", no_wrap=True, ratio=2)
    table.add_column("area", no_wrap=True)
    table.add_column("what to do", no_wrap=True, ratio=3)
    for latest in state.latest_alerts.values():
        for alert in reversed(latest):
            table.add_row(*_alert_row(alert, state.zone))
    counts = Text("  ").join(
        Text.assemble(level_text(level), f" {state.alert_counts[level]:,}") for level in ("red", "yellow", "review")
    )
    return Panel(Group(table), title=Text.assemble("alerts  ", counts), box=box.ROUNDED, height=11)


def _minutes(seconds: int | None) -> str:
    return "-" if seconds is None else f"{seconds // 60} min {seconds % 60:02d} s"


def _case(case: Case, zone: tzinfo) -> RenderableType:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("person", no_wrap=True)
    table.add_column("planted: together for", justify="right")
    table.add_column("ClickHouse found", justify="right")
    table.add_column("")
    for who, seconds in sorted(case.expected_contacts.items(), key=lambda item: -item[1]):
        found = (case.found or {}).get(who)
        mark = Text("… waiting", "dim") if case.found is None else Text("✓ same", "green")
        if case.found is not None and found != seconds:
            mark = Text("✗ missing" if found is None else "✗ differs", "red")
        table.add_row(f"{who[:8]}…", _minutes(seconds), _minutes(found), mark)
    for who in sorted(case.extra):
        table.add_row(f"{who[:8]}…", "-", _minutes((case.found or {})[who]), Text("✗ never met", "red"))
    title = f"case {case.index[:8]}…"
    if case.red_at is not None:
        title += f" turned RED 红 at {case.red_at.astimezone(zone):%H:%M:%S}"
    if case.found is not None:
        title += f": {len(case.found)} contacts in {case.query_ms:.0f} ms"
    return Panel(table, title=title, box=box.ROUNDED)


def draw(state: DemoState) -> RenderableType:
    """The whole screen."""
    clock = "" if state.event_time is None else f"city clock {state.event_time.astimezone(state.zone):%a %d %b %H:%M}"
    head = Text.assemble(
        ("Venuecode 场所码", "bold"), f"  {state.city}, seed {state.seed}  ", (clock, "bold green"),
        f"  running {state.elapsed_s:,.0f} s  ", (state.step, "dim"),
    )  # fmt: skip
    parts: list[RenderableType] = [head, _numbers(state), _alerts(state)]
    if state.restarts:
        again = ", ".join(f"{name} {each.count}x ({each.reason})" for name, each in state.restarts.items())
        parts.append(Text(f"started again: {again}", "yellow"))
    if state.cases:
        parts.append(_case(state.cases[-1], state.zone))
    elif state.phase == "running":
        parts.append(Text("Somebody will turn red shortly; the people they met are planned, and written down.", "dim"))
    return Group(*parts)
