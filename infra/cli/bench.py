"""`venuecode bench`: how fast the worker and the sink are on this machine, each on an embedded platform of its own."""

from __future__ import annotations

import os
import platform
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.common import JsonFlag, friendly_errors, out, print_json

Events = Annotated[int, typer.Option(min=10_000, help="Records in the full topic that is read from its beginning.")]
Runs = Annotated[int, typer.Option(min=1, help="Repetitions; the median is quoted.")]


def _stream(events: int, runs: int) -> dict[str, Any]:
    from infra.bench.stream import run_stream_bench

    return run_stream_bench(events=events, runs=runs)


def _sink(rows: int, runs: int) -> dict[str, Any]:
    from infra.bench.sink import run_sink_bench

    return run_sink_bench(rows=rows, runs=runs)


def _show(results: dict[str, dict[str, Any]]) -> None:
    table = Table("part", "per second", "CPU-s per million", "peak MB", "runs (per second)", header_style="bold")
    for part, result in results.items():
        rate = result.get("events_per_s", result.get("rows_per_s"))
        runs = " / ".join(f"{run.get('events_per_s', run.get('rows_per_s')):,.0f}" for run in result["runs"])
        table.add_row(part, f"{rate:,.0f}", f"{result['cpu_s_per_million']:.1f}", f"{result['peak_rss_mb']:,.0f}", runs)
    out.print(table)
    out.print(
        f"[dim]median of the runs; broker, database and the measured process share {os.cpu_count()} cores; "
        f"Python {platform.python_version()}[/]",
        highlight=False,
    )


@friendly_errors
def stream(events: Events = 1_000_000, runs: Runs = 3, as_json: JsonFlag = False) -> None:
    """Events/s of one worker process fed from a full topic: decode, look up, decide, visits, alerts, commits."""
    result = _stream(events, runs)
    print_json(result) if as_json else _show({"worker (events)": result})


@friendly_errors
def sink(rows: Events = 1_000_000, runs: Runs = 3, as_json: JsonFlag = False) -> None:
    """Rows/s of one sink process fed from a full topic, into both ClickHouse orders."""
    result = _sink(rows, runs)
    print_json(result) if as_json else _show({"sink (rows)": result})


@friendly_errors
def everything(events: Events = 1_000_000, runs: Runs = 3, as_json: JsonFlag = False) -> None:
    """Worker and sink, one after the other."""
    results = {"worker (events)": _stream(events, runs), "sink (rows)": _sink(events, runs)}
    if as_json:
        print_json({"stream": results["worker (events)"], "sink": results["sink (rows)"]})
    else:
        _show(results)


def register(app: typer.Typer) -> None:
    bench = typer.Typer(help="Measure the parts on this machine.", no_args_is_help=True)
    bench.command("stream")(stream)
    bench.command("sink")(sink)
    bench.command("all")(everything)
    app.add_typer(bench, name="bench")
