"""`venuecode contacts TOKEN`: who shared a place and a time with a person."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from rich.table import Table

from infra.cli.clickhouse import Since, Token, Until, connected, duration, local_time, shortened, span
from infra.cli.common import JsonFlag, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import (
    MOST_PEOPLE,
    DwellOption,
    MaxPeople,
    RuleOption,
    refuse_more_than,
    require_rule,
    tell_coverage,
)


@friendly_errors
def contacts(
    token: Token,
    since: Since = None,
    until: Until = None,
    rule: RuleOption = "any_overlap",
    dwell: DwellOption = "best",
    max_people: MaxPeople = MOST_PEOPLE,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
) -> None:
    """Show everybody whom a rule makes a contact; unless one is named, whose stay overlapped one of the person's."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settings = load_settings()
    begin, end = span(since, until, settings, datetime.now(UTC))
    from sinks.clickhouse import queries, tracing

    with connected(settings) as client:
        require_rule(client, rule)
        found = queries.contacts(client, token, begin, end, rule, dwell)
        refuse_more_than(max_people, len(found))
        resting = tracing.coverage(client, token, begin, end, dwell)
    if form is not Form.TEXT:
        about = {"person_token": token, "since": begin, "until": end, "rule": rule, "dwell": dwell}
        print_rows(form, queries.Contact, found, "contacts", {**about, "coverage": as_dicts([resting])[0]})
        tell_coverage(form, resting, settings)
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
        f"{len(found)} contacts from {local_time(begin, settings)} to {local_time(end, settings)}.", highlight=False
    )
    tell_coverage(form, resting, settings)


def register(app: typer.Typer) -> None:
    app.command("contacts")(contacts)
