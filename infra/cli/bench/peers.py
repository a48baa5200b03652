"""`venuecode bench peers`: the same job in other stream processors."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, Events, JsonFile, Runs, WriteDocs, finish, measured

Only = Annotated[
    str, typer.Option("--only", help="Names of peers, with commas between; the worker always runs. All: leave it out.")
]


@measured
def peers(
    events: Events = 2_000_000,
    runs: Runs = 3,
    only: Only = "",
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Events/s of this worker and of other stream processors doing the same job on one broker (many minutes)."""
    from infra.bench.peers.catalogue import chosen
    from infra.bench.peers.compare import run_peers_bench

    found = run_peers_bench(chosen(only), events=events, runs=runs)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("peers")(peers)
