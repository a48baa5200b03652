"""`venuecode trajectory TOKEN`: where a person scanned, and until when they stayed."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from rich.table import Table

from infra.cli.clickhouse import (
    CsvFlag,
    Since,
    Token,
    Until,
    as_dicts,
    connected,
    local_time,
    one_form,
    print_csv,
    span,
)
from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json


@friendly_errors
def trajectory(
    token: Token, since: Since = None, until: Until = None, as_json: JsonFlag = False, as_csv: CsvFlag = False
) -> None:
    """Show a person's scans, oldest first, and the end of each stay with what it rests on."""
    one_form(as_json, as_csv)
    settings = load_settings()
    begin, end = span(since, until, settings, datetime.now(UTC))
    from sinks.clickhouse import queries

    with connected(settings) as client:
        scans = queries.trajectory(client, token, begin, end)
    if as_json:
        print_json(
            {"person_token": token, "since": begin.isoformat(), "until": end.isoformat(), "scans": as_dicts(scans)}
        )
        return
    if as_csv:
        print_csv(queries.Scan, scans)
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


def register(app: typer.Typer) -> None:
    app.command("trajectory")(trajectory)
