"""`venuecode windows`: the published exposure windows, and who was there."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from infra.cli.clickhouse import CsvFlag, as_dicts, connected, local_time, one_form, print_csv
from infra.cli.common import JsonFlag, fail, friendly_errors, load_settings, out, print_json

WindowId = Annotated[str | None, typer.Option("--window", help="List the people of this window (case-sensitive id).")]


@friendly_errors
def windows(window: WindowId = None, as_json: JsonFlag = False, as_csv: CsvFlag = False) -> None:
    """Show every exposure window with how many people entered strictly inside it, or with --window who they are."""
    one_form(as_json, as_csv)
    settings = load_settings()
    from sinks.clickhouse import queries

    with connected(settings) as client:
        counts = [entry for entry in queries.window_counts(client) if window in (None, entry.window_id)]
        people = [] if window is None else queries.window_visitors(client, window)
    if window is not None and not counts:
        fail(f"there is no exposure window {window!r}; `venuecode windows` lists them")
    if window is not None:
        if as_json:
            print_json({**as_dicts(counts)[0], "visitors": as_dicts(people)})
        elif as_csv:
            print_csv(queries.WindowVisitor, people)
        else:
            table = Table("person", "first entry", "last entry", "entries", box=None, header_style="bold")
            for person in people:
                first, last = (local_time(at, settings) for at in (person.first_entry, person.last_entry))
                table.add_row(person.person_token, first, last, str(person.entries))
            out.print(table)
        return
    if as_json:
        print_json({"windows": as_dicts(counts)})
    elif as_csv:
        print_csv(queries.WindowCount, counts)
    else:
        table = Table("window", "venue", "from", "to", "people", "entries", "title", box=None, header_style="bold")
        for entry in counts:
            begin, end = local_time(entry.starts_at, settings), local_time(entry.ends_at, settings)
            title = entry.title
            table.add_row(entry.window_id, entry.venue_id, begin, end, str(entry.people), str(entry.entries), title)
        out.print(table)
        named = sum(entry.people > 0 for entry in counts)
        out.print(f"{len(counts)} windows; people were in {named} of them.", highlight=False)


def register(app: typer.Typer) -> None:
    app.command("windows")(windows)
