"""`venuecode bench sink`: one sink process, fed from a full topic, at a rate, or after an absence of ClickHouse."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, Events, JsonFile, WriteDocs, finish, measured
from schemas.errors import ConfigurationError

SinkRuns = Annotated[
    int | None, typer.Option(min=1, help="Repetitions, medians are quoted: 3 of a full topic, else 1, unless given.")
]
Minutes = Annotated[
    float | None, typer.Option(min=0.1, help="Rows at a rate for so long instead: freshness, parts, memory.")
]
AwayMinutes = Annotated[
    float | None, typer.Option(min=0.1, help="ClickHouse is killed, and back when so many minutes of rows wait.")
]
Rate = Annotated[int, typer.Option(min=100, help="Rows a second, with --minutes and --away-minutes.")]
BacklogRows = Annotated[
    int, typer.Option(min=10_000, help="Most rows that wait after an absence: a longer one is compressed to so many.")
]


@measured
def sink(
    rows: Events = 3_000_000,
    runs: SinkRuns = None,
    minutes: Minutes = None,
    away_minutes: AwayMinutes = None,
    rate: Rate = 20_000,
    backlog_rows: BacklogRows = 12_000_000,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Rows/s of one sink process into both ClickHouse orders: from a full topic, at a rate, or after an absence."""
    if minutes is not None and away_minutes is not None:
        raise ConfigurationError("choose one of --minutes and --away-minutes")
    if minutes is not None:
        from infra.bench.sink_steady import run_steady_bench

        found = run_steady_bench(minutes, rate, runs or 1)
    elif away_minutes is not None:
        from infra.bench.sink_steady import run_away_bench

        found = run_away_bench(away_minutes, rate, backlog_rows, runs or 1)
    else:
        from infra.bench.sink import run_sink_bench

        found = run_sink_bench(rows, runs or 3)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("sink")(sink)
