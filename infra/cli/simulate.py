"""`venuecode simulate`: a seeded city that scans, to Kafka or into files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json


@friendly_errors
def simulate(
    to: Annotated[str, typer.Option(help="kafka, or a folder for NDJSON files.")] = "kafka",
    seed: Annotated[int, typer.Option(min=0, help="The same seed, start and options make the same bytes.")] = 1,
    residents: Annotated[int, typer.Option(min=1, help="People in the city.")] = 100_000,
    venues: Annotated[int, typer.Option(help="Venues in the city.")] = 3_000,
    start: Annotated[
        str | None, typer.Option(help="now, -26h, or a time (RFC 3339). Default: yesterday 06:30 city time.")
    ] = None,
    duration: Annotated[
        str, typer.Option(help="City time to simulate, such as 2h; none: no limit (into files: two hours).")
    ] = "none",
    seconds: Annotated[float | None, typer.Option(min=1, help="Send for so long (wall time), then end.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="Seconds of city time in a second; never past the clock. Default to kafka: 60.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="Scans a second instead, or max. Default into files: max.")] = None,
    scans: Annotated[int | None, typer.Option(min=1, help="End after so many valid scans.")] = None,
    cases: Annotated[
        int | None, typer.Option(min=0, help="Planted cases. Default: one; in an endless run, one every two minutes.")
    ] = None,
    scan_discipline: Annotated[float, typer.Option(help="Share of visits that are scanned.")] = 0.85,
    leave_share: Annotated[float, typer.Option(help="Share of scanned visits that are scanned out, too.")] = 0.4,
    late_share: Annotated[float, typer.Option(help="Share of scans that are sent late, by up to six hours.")] = 0.0,
    bad_share: Annotated[float, typer.Option(help="Invalid records of every kind, as a share of the scans.")] = 0.0,
    changes_per_hour: Annotated[
        float, typer.Option(help="Residents whose colour changes, an hour of city time.")
    ] = 12.0,
    go_file: Annotated[
        Path | None, typer.Option(help="Publish venues and statuses, then wait until this file exists.")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Tell progress as JSON lines on standard output.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Simulate a city: register its venues, publish its people's colours, send their scans.

    Ctrl-C (or SIGTERM) stops sending, waits until what was sent is delivered, and tells the totals. Into a folder go
    venues, statuses, scans, truth (planted meetings), decoys and bad (invalid records), as NDJSON.
    """
    from infra.cli.simulate_run import SimulateOptions, run_simulation

    options = SimulateOptions(
        to=to,
        seed=seed,
        residents=residents,
        venues=venues,
        start=start,
        duration=duration,
        seconds=seconds,
        speed=speed,
        rate=rate,
        scans=scans,
        cases=cases,
        scan_discipline=scan_discipline,
        leave_share=leave_share,
        late_share=late_share,
        bad_share=bad_share,
        changes_per_hour=changes_per_hour,
        go_file=go_file,
        events=events,
    )
    totals = asdict(run_simulation(options, load_settings()))
    if as_json:
        print_json(totals)
    elif not events:
        out.print(
            f"{totals['scans']:,} scans, {totals['bad']:,} invalid records, {totals['statuses']:,} statuses,"
            f" {totals['venues']:,} venues, {totals['cases']} planted cases: all delivered.",
            highlight=False,
            soft_wrap=True,
        )


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("simulate")(simulate)
