"""`venuecode bench statuses`: the status store."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, JsonFile, Runs, WriteDocs, finish, measured

People = Annotated[float, typer.Option(min=10_000, help="Whose statuses are held in memory, such as 25e6.")]
Records = Annotated[float, typer.Option(min=10_000, help="Statuses on the topic that the store is filled from.")]


@measured
def statuses(
    people: People = 1e6,
    records: Records = 1e6,
    runs: Runs = 1,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Bytes a person, statuses/s from a full topic, updates and look-ups/s, and the time of a restart."""
    from infra.bench.statuses import run_statuses_bench

    found = run_statuses_bench(people=int(people), records=int(records), runs=runs)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("statuses")(statuses)
