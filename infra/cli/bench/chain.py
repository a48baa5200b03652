"""`venuecode bench chain`: everything at once on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, JsonFile, Runs, WriteDocs, finish, measured

Rates = Annotated[list[float], typer.Option("--rate", min=1, help="Scans a second; give it again for more variants.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="How long each run sends.")]
People = Annotated[int, typer.Option(min=1000, help="Residents, each with a status.")]

_RATES = [100_000.0]


@measured
def chain(
    rate: Rates = _RATES,
    minutes: Minutes = 1.0,
    people: People = 1_000_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Generator, broker, worker, broker, sink, both ClickHouse orders: rate, latencies, lag, CPU by part, sums."""
    from infra.bench.chain import run_chain_bench

    found = run_chain_bench(rates=rate, minutes=minutes, people=people, runs=runs)
    finish(found, as_json=as_json, write=write_docs, file=out)


def register(bench: typer.Typer) -> None:
    bench.command("chain")(chain)
