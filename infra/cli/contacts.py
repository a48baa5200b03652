"""`venuecode contacts TOKEN`: who shared a place and a time with a person."""

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
    duration,
    local_time,
    one_form,
    print_csv,
    shortened,
    span,
)
from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json


@friendly_errors
def contacts(
    token: Token, since: Since = None, until: Until = None, as_json: JsonFlag = False, as_csv: CsvFlag = False
) -> None:
    """Show everybody whose stay overlapped one of the person's, at the same venue or on the same trip."""
    one_form(as_json, as_csv)
    settings = load_settings()
    begin, end = span(since, until, settings, datetime.now(UTC))
    from sinks.clickhouse import queries

    with connected(settings) as client:
        found = queries.contacts(client, token, begin, end)
    if as_json:
        document = {"person_token": token, "since": begin.isoformat(), "until": end.isoformat()}
        print_json({**document, "contacts": as_dicts(found)})
        return
    if as_csv:
        print_csv(queries.Contact, found)
        return
    table = Table("contact", "together", "meetings", "first", "last", "venues", box=None, header_style="bold")
    for contact in found:
        table.add_row(
            contact.contact,
            duration(contact.overlap_s),
            str(contact.meetings),
            local_time(contact.first_meeting, settings),
            local_time(contact.last_meeting, settings),
            shortened(contact.venues),
        )
    out.print(table)
    out.print(
        f"{len(found)} contacts from {local_time(begin, settings)} to {local_time(end, settings)}, out of the visits "
        "that were scanned and are kept; nobody on this list is no proof that nobody was there.",
        highlight=False,
    )


def register(app: typer.Typer) -> None:
    app.command("contacts")(contacts)
