"""`venuecode bench surge`: ten times the load for two minutes."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, JsonFile, Runs, WriteDocs, finish, measured

Base = Annotated[float, typer.Option(min=100, help="Scans a second before and after the surge.")]
Factor = Annotated[float, typer.Option(min=1, help="How many times as many during it.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="How long the surge lasts.")]
People = Annotated[int, typer.Option(min=1000, help="Residents, each with a status.")]


@measured
def surge(
    base: Base = 10_000,
    factor: Factor = 10,
    minutes: Minutes = 2.0,
    people: People = 1_000_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """A surge through the whole chain, with ClickHouse and with ClickHouse stopped: lag after it, alerts during it."""
    from infra.bench.surge import run_surge_bench

    found = run_surge_bench(base=base, factor=factor, minutes=minutes, people=people, runs=runs)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("surge")(surge)
