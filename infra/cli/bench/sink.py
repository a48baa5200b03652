"""`venuecode bench sink`: one sink process, fed from a full topic."""

from __future__ import annotations

import typer

from infra.cli.bench.options import AsJson, Events, JsonFile, Runs, WriteDocs, finish, measured


@measured
def sink(
    rows: Events = 1_000_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Rows/s of one sink process fed from a full topic, into both ClickHouse orders."""
    from infra.bench.sink import run_sink_bench

    finish(run_sink_bench(rows=rows, runs=runs), as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("sink")(sink)
