"""`venuecode bench stream`: one worker process, fed from a full topic."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from infra.cli.bench.options import AsJson, Events, JsonFile, Runs, WriteDocs, finish, measured

JobChoice = Annotated[
    Literal["full", "bare"],
    typer.Option(
        help="What the scans are like, for the same worker. full: 20,000 venues, one person in a hundred without a "
        "status, 0.3 % yellow or red, so that one scan in a hundred goes through alerts. bare: 200 venues, everybody "
        "with a status, one in 10,000 red: decode, look up, one enriched record, hardly ever an alert."
    ),
]

BadShare = Annotated[
    float,
    typer.Option(min=0.0, max=0.2, help="Also measure, in turn, with so large a share of bad scans: 0.01, one in 100."),
]


@measured
def stream(
    events: Events = 1_000_000,
    job: JobChoice = "full",
    bad_share: BadShare = 0.0,
    runs: Runs = 3,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    out: JsonFile = None,
) -> None:
    """Events/s of one worker process fed from a full topic: decode, look up, decide, visits, alerts, commits.

    Also how many seconds commits were behind the visits, at most; a sample of the visits is worked out again.
    """
    from infra.bench.stream import run_stream_bench

    every = round(1 / bad_share) if bad_share else 0
    finish(
        run_stream_bench(events=events, runs=runs, job=job, spoilt_every=every),
        as_json=as_json,
        write=write_docs,
        file=out,
    )


def register(bench: typer.Typer) -> None:
    bench.command("stream")(stream)
