"""`venuecode chain TOKEN`: contacts, and contacts of contacts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from infra.cli.clickhouse import Since, Token, Until, connected, duration, local_time, span, token_column
from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out
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
from infra.plots.chain import chain_graph
from infra.plots.figure import checked_path, save
from sinks.clickhouse.dwell import ANY_OVERLAP

PlotFile = Annotated[
    Path | None, typer.Option("--plot", help="Draw who met whom as a graph into this file (.svg or .png) too.")
]


@friendly_errors
def chain(
    token: Token,
    since: Since = None,
    until: Until = None,
    rule: RuleOption = ANY_OVERLAP,
    dwell: DwellOption = "best",
    max_people: MaxPeople = MOST_PEOPLE,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
    plot: PlotFile = None,
) -> None:
    """Show a person's contacts and theirs, each from the first meeting until the contact turned red."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settings = load_settings()
    picture = None if plot is None else checked_path(plot)
    begin, end = span(since, until, settings, datetime.now(UTC))
    from sinks.clickhouse import tracing

    with connected(settings) as client:
        require_rule(client, rule)
        refuse_more_than(max_people, tracing.people_in_chain(client, token, begin, end, rule, dwell))
        links = tracing.contact_chain(client, token, begin, end, rule, dwell)
        resting = tracing.coverage(client, token, begin, end, dwell)
    links.sort(key=lambda link: (link.degree, link.first_meeting, link.contact, link.via))
    if picture is not None:
        save(chain_graph(links, ZoneInfo(settings.timezone)), picture)
        err.print(f"Drawn: {picture}", highlight=False, soft_wrap=True)
    if form is not Form.TEXT:
        about = {"person_token": token, "since": begin, "until": end, "rule": rule, "dwell": dwell}
        print_rows(form, tracing.Link, links, "links", {**about, "coverage": as_dicts([resting])[0]})
    else:
        table = Table(
            "degree",
            token_column("contact"),
            token_column("met by"),
            "counted",
            "first meeting",
            box=None,
            header_style="bold",
        )
        for link in links:
            first = local_time(link.first_meeting, settings)
            table.add_row(str(link.degree), link.contact, link.via or "the person", duration(link.counted_s), first)
        out.print(table)
        people = [len({link.contact for link in links if link.degree == degree}) for degree in (1, 2)]
        out.print(f"{people[0]} contacts, and {people[1]} people whom only they met.", highlight=False)
    tell_coverage(form, resting, settings)


def register(app: typer.Typer) -> None:
    app.command("chain")(chain)
