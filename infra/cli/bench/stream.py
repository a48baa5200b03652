"""`venuecode bench stream`: one worker process, fed from a full topic."""

from __future__ import annotations

import typer

from infra.cli.bench.options import AsJson, Events, JsonFile, Runs, WriteDocs, finish, measured


@measured
def stream(
    events: Events = 1_000_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Events/s of one worker process fed from a full topic: decode, look up, decide, visits, alerts, commits."""
    from infra.bench.stream import run_stream_bench

    finish(run_stream_bench(events=events, runs=runs), as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("stream")(stream)
