"""`venuecode windows`: the published exposure windows, and who was there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from infra.cli.clickhouse import connected, local_time
from infra.cli.common import JsonFlag, fail, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.settings import Settings

if TYPE_CHECKING:
    from sinks.clickhouse.queries import WindowCount, WindowVisitor

WindowId = Annotated[str | None, typer.Option("--window", help="List the people of this window (case-sensitive id).")]


@friendly_errors
def windows(
    window: WindowId = None,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
) -> None:
    """Show every exposure window with how many people entered strictly inside it, or with --window who they are."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settings = load_settings()
    from sinks.clickhouse import queries

    with connected(settings) as client:
        counts = [entry for entry in queries.window_counts(client) if window in (None, entry.window_id)]
        people = [] if window is None else queries.window_visitors(client, window)
    if window is not None and not counts:
        fail(f"there is no exposure window {window!r}; `venuecode windows` lists them")
    if form is not Form.TEXT:
        if window is None:
            print_rows(form, queries.WindowCount, counts, "windows", {})
        else:
            print_rows(form, queries.WindowVisitor, people, "visitors", as_dicts(counts)[0])
    elif window is None:
        _show_windows(counts, settings)
    else:
        _show_people(people, settings)


def _show_people(people: Sequence[WindowVisitor], settings: Settings) -> None:
    table = Table("person", "first entry", "last entry", "entries", box=None, header_style="bold")
    for person in people:
        first, last = (local_time(at, settings) for at in (person.first_entry, person.last_entry))
        table.add_row(person.person_token, first, last, str(person.entries))
    out.print(table)


def _show_windows(counts: Sequence[WindowCount], settings: Settings) -> None:
    table = Table("window", "venue", "from", "to", "people", "entries", "title", box=None, header_style="bold")
    for entry in counts:
        begin, end = local_time(entry.starts_at, settings), local_time(entry.ends_at, settings)
        table.add_row(entry.window_id, entry.venue_id, begin, end, str(entry.people), str(entry.entries), entry.title)
    out.print(table)
    named = sum(entry.people > 0 for entry in counts)
    out.print(f"{len(counts)} windows; people were in {named} of them.", highlight=False)


def register(app: typer.Typer) -> None:
    app.command("windows")(windows)
