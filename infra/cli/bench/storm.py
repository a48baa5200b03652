"""`venuecode bench storm`: many people turn yellow at once and go on scanning."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, JsonFile, Runs, WriteDocs, finish, measured

Turning = Annotated[int, typer.Option(min=1000, help="People who turn yellow.")]
Rate = Annotated[float, typer.Option(min=100, help="Their scans a second.")]
Base = Annotated[float, typer.Option(min=100, help="Scans a second of everybody else.")]
Seconds = Annotated[float, typer.Option(min=1, help="Over how many seconds they turn.")]
People = Annotated[int, typer.Option(min=10_000, help="Residents, each with a status.")]


@measured
def storm(
    turning: Turning = 82_000,
    rate: Rate = 52_000,
    base: Base = 10_000,
    turn_seconds: Seconds = 60,
    people: People = 1_000_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Alerts/s while 82,000 people turn yellow and go on scanning; ids recomputed; the same load without it beside."""
    from infra.bench.storm import run_storm_bench

    found = run_storm_bench(turning=turning, rate=rate, base=base, turn_s=turn_seconds, people=people, runs=runs)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("storm")(storm)
