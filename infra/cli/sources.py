"""`venuecode sources TOKEN TOKEN ...`: where several cases may have caught it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.clickhouse import Since, Until, connected, local_time, shortened, span, tokens
from infra.cli.common import JsonFlag, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import DwellOption, tell_coverage

Cases = Annotated[
    list[str] | None, typer.Argument(callback=tokens, help="Person tokens of the cases, 32 hexadecimal digits each.")
]
CasesFile = Annotated[
    Path | None,
    typer.Option("--cases", exists=True, dir_okay=False, help="A file with a person token a line, besides."),
]

Days = Annotated[
    float | None, typer.Option("--days", min=0.04, help="So many days before --until (onset), in place of --since.")
]


@friendly_errors
def sources(
    cases: Cases = None,
    cases_file: CasesFile = None,
    since: Since = None,
    until: Until = None,
    days: Days = None,
    dwell: DwellOption = "best",
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
) -> None:
    """Show places and times that several cases shared before they fell ill (--until), those of most cases first."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    lines = [] if cases_file is None else cases_file.read_text("ascii", "replace").split()
    people = list(dict.fromkeys([*(cases or []), *(tokens(lines) or [])]))
    if len(people) < 2:
        raise typer.BadParameter("name two cases at least: what one person did alone is no common source")
    settings = load_settings()
    begin, end = span(since, until, settings, datetime.now(UTC))
    if days is not None:
        if since is not None:
            raise typer.BadParameter("--days says where --since is: give one of them")
        begin = end - timedelta(days=days)
    from sinks.clickhouse import tracing

    with connected(settings) as client:
        found = tracing.candidate_sources(client, people, begin, end, dwell)
        resting = tracing.coverage_of_many(client, people, begin, end, dwell)
    if form is not Form.TEXT:
        about = {"cases": people, "since": begin, "until": end, "dwell": dwell}
        print_rows(form, tracing.SharedPlace, found, "places", {**about, "coverage": as_dicts([resting])[0]})
        tell_coverage(form, resting, settings)
        return
    table = Table("cases", "place", "from", "to", "stays ended by", box=None, header_style="bold")
    for place in found:
        begins, ends = local_time(place.shared_from, settings), local_time(place.shared_until, settings)
        table.add_row(str(place.cases), place.place, begins, ends, shortened(place.dwells).replace("_", " "))
    out.print(table)
    out.print(
        f"{len(found)} places and times that at least two of {len(people)} cases shared from "
        f"{local_time(begin, settings)} to {local_time(end, settings)}. Whoever infected them need not have been "
        "scanned, and a place missing here is no proof that it was not there.",
        highlight=False,
    )
    tell_coverage(form, resting, settings)


def register(app: typer.Typer) -> None:
    app.command("sources")(sources)
