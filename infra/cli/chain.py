"""`venuecode chain TOKEN`: contacts, and contacts of contacts."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from infra.cli.clickhouse import Since, Token, Until, connected, duration, instant, local_time, span, token_column
from infra.cli.common import JsonFlag, err, fail, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import (
    MOST_PEOPLE,
    SETTLED_IS_SOONER,
    DwellOption,
    EstimateFlag,
    MaxPeople,
    RuleOption,
    SettledFlag,
    check_settled,
    refuse_more_than,
    require_rule,
    require_settled,
    require_size_form,
    tell_coverage,
    tell_size,
)
from infra.plots.chain import chain_graph
from infra.plots.figure import checked_path, save
from infra.settings import Settings
from sinks.clickhouse.dwell import ANY_OVERLAP

if TYPE_CHECKING:
    from sinks.clickhouse.tracing import Coverage, SettledLink

_TOKEN = re.compile(r"[0-9a-fA-F]{32}")
PlotFile = Annotated[
    Path | None, typer.Option("--plot", help="Draw who met whom as a graph into this file (.svg or .png) too.")
]
IsolatedFile = Annotated[
    Path | None,
    typer.Option(
        "--isolated",
        help="CSV `person_token,isolated_at`, UTF-8: from when on somebody's later meetings do not count.",
        exists=True,
        dir_okay=False,
    ),
]


@friendly_errors
def chain(
    token: Token,
    since: Since = None,
    until: Until = None,
    rule: RuleOption = ANY_OVERLAP,
    dwell: DwellOption = "best",
    isolated: IsolatedFile = None,
    settled: SettledFlag = False,
    max_people: MaxPeople = MOST_PEOPLE,
    estimate: EstimateFlag = False,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
    plot: PlotFile = None,
) -> None:
    """Show a person's contacts and theirs, each from the first meeting until the contact was isolated or turned red."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settled_dwell = None
    if settled:
        others = {"--isolated": isolated, "--plot": plot}
        why = ": it knows no isolation but a red status, and not who met whom"
        settled_dwell = check_settled(dwell, others, why)
    if estimate:
        require_size_form(form)
    settings = load_settings()
    picture = None if plot is None else checked_path(plot)
    begin, end = span(since, until, settings, datetime.now(UTC))
    times = {} if isolated is None else _isolation_times(isolated, settings)
    from sinks.clickhouse import tracing

    about: dict[str, Any] = {
        "person_token": token,
        "since": begin,
        "until": end,
        "rule": rule,
        "dwell": dwell,
        "isolated": len(times),
    }
    with connected(settings, sooner="" if settled else SETTLED_IS_SOONER) as client:
        require_rule(client, rule)
        if settled_dwell is not None:
            about["settled"] = as_dicts([require_settled(client, form, settings)])[0]
            size = tracing.settled_chain_size(client, token, begin, end, rule, settled_dwell)
        else:
            size = tracing.chain_size(client, token, begin, end, rule, dwell, times)
        if estimate:
            tell_size(form, size, about)
            return
        refuse_more_than(max_people, size)
        if settled_dwell is not None:
            found = tracing.settled_chain(client, token, begin, end, rule, settled_dwell)
            refuse_more_than(max_people, len(found))
        else:
            links = tracing.contact_chain(client, token, begin, end, rule, dwell, times)
            refuse_more_than(max_people, len({link.contact for link in links}))
        resting = tracing.coverage(client, token, begin, end, dwell)
    if settled_dwell is not None:
        _tell_settled_chain(form, found, about, resting, settings)
        return
    links.sort(key=lambda link: (link.degree, link.first_meeting, link.contact, link.via))
    if picture is not None:
        save(chain_graph(links, ZoneInfo(settings.timezone)), picture)
        err.print(f"Drawn: {picture}", highlight=False, soft_wrap=True)
    if form is not Form.TEXT:
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
        _tell_people([degree for degree, _ in {(link.degree, link.contact) for link in links}])
    tell_coverage(form, resting, settings)


def _tell_settled_chain(
    form: Form, found: list[SettledLink], about: dict[str, Any], resting: Coverage, settings: Settings
) -> None:
    from sinks.clickhouse.tracing import SettledLink

    found.sort(key=lambda link: (link.degree, link.first_meeting, link.contact))
    if form is not Form.TEXT:
        print_rows(form, SettledLink, found, "links", {**about, "coverage": as_dicts([resting])[0]})
    else:
        table = Table("degree", token_column("contact"), "first meeting", box=None, header_style="bold")
        for link in found:
            table.add_row(str(link.degree), link.contact, local_time(link.first_meeting, settings))
        out.print(table)
        _tell_people([link.degree for link in found])
    tell_coverage(form, resting, settings)


def _tell_people(degrees: list[int]) -> None:
    """How many people there are, out of the degree of each."""
    out.print(f"{degrees.count(1)} contacts, and {degrees.count(2)} people whom only they met.", highlight=False)


def _isolation_times(file: Path, settings: Settings) -> dict[str, datetime]:
    """When people were isolated, by token, and of several times the first; an error names the line that is wrong."""
    try:
        lines = csv.reader(file.read_text("utf-8-sig").splitlines(), strict=True)
        times: dict[str, datetime] = {}
        for number, row in enumerate(lines, 1):
            if row == ["person_token", "isolated_at"] or not row:
                continue
            try:
                token, text = row
                at = instant("--isolated", text, settings)
            except (ValueError, typer.BadParameter):
                token = ""
            # What stands there may be a token: the line is named, not what is in it.
            if not _TOKEN.fullmatch(token):
                fail(f"{file}, line {number}: write 32 hex digits, a comma and a time")
            times[token.lower()] = min(at, times.get(token.lower(), at))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        fail(f"{file} cannot be read as CSV in UTF-8: {error}")
    return times


def register(app: typer.Typer) -> None:
    app.command("chain")(chain)
