"""`venuecode trajectory TOKEN`: where a person scanned, and until when they stayed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from infra.cli.clickhouse import Since, Token, Until, connected, local_time, span
from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import DwellOption, tell_coverage
from infra.plots.figure import checked_path, save
from infra.plots.timeline import timeline

PlotFile = Annotated[
    Path | None, typer.Option("--plot", help="Draw the stays, and the people met, into this file (.svg or .png) too.")
]


@friendly_errors
def trajectory(
    token: Token,
    since: Since = None,
    until: Until = None,
    dwell: DwellOption = "best",
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
    plot: PlotFile = None,
) -> None:
    """Show a person's scans, oldest first, and the end of each stay with what it rests on."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settings = load_settings()
    picture = None if plot is None else checked_path(plot)
    begin, end = span(since, until, settings, datetime.now(UTC))
    from sinks.clickhouse import queries, tracing

    with connected(settings) as client:
        scans = queries.trajectory(client, token, begin, end, dwell)
        met = [] if picture is None else queries.meetings(client, token, begin, end, dwell=dwell)
        resting = tracing.coverage(client, token, begin, end, dwell)
    if picture is not None:
        save(timeline(scans, met, begin, end, ZoneInfo(settings.timezone)), picture)
        err.print(f"Drawn: {picture}", highlight=False, soft_wrap=True)
    if form is not Form.TEXT:
        about = {"person_token": token, "since": begin, "until": end, "dwell": dwell}
        print_rows(form, queries.Scan, scans, "scans", {**about, "coverage": as_dicts([resting])[0]})
        tell_coverage(form, resting, settings)
        return
    table = Table("scanned", "until", "end by", "", "venue", "trip", "colour", box=None, header_style="bold")
    for scan in scans:
        table.add_row(
            local_time(scan.scanned_at, settings),
            "" if scan.left_at is None else local_time(scan.left_at, settings),
            scan.dwell.replace("_", " "),
            scan.direction,
            scan.venue_name or scan.venue_id,
            f"{scan.vehicle} / {scan.run}" if scan.vehicle else "",
            scan.colour,
        )
    out.print(table)
    out.print(f"{len(scans)} scans from {local_time(begin, settings)} to {local_time(end, settings)}.", highlight=False)
    tell_coverage(form, resting, settings)


def register(app: typer.Typer) -> None:
    app.command("trajectory")(trajectory)
