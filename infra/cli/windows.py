"""`venuecode windows`: the published exposure windows, and who was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.clickhouse import connected, duration, local_time, token_column
from infra.cli.common import JsonFlag, fail, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import (
    MOST_PEOPLE,
    SETTLED_IS_SOONER,
    DwellOption,
    EstimateFlag,
    MaxPeople,
    SettledFlag,
    check_settled,
    refuse_more_than,
    require_rule,
    require_settled,
    require_size_form,
    tell_size,
    tell_stored,
)
from infra.settings import Settings
from sinks.clickhouse.dwell import Dwell, SettledDwell

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.exposure_windows import Exposed, WindowCount, WindowVisitor
    from sinks.clickhouse.sizes import Size

WindowId = Annotated[str | None, typer.Option("--window", help="List the people of this window (case-sensitive id).")]
Rule = Annotated[
    str | None,
    typer.Option("--rule", help="Rule of contact. Without: who entered strictly inside a window, however short."),
]


@dataclass(frozen=True, slots=True)
class _Question:
    """Who was in windows, under a rule or without, out of settled stays where `settled` says how they end."""

    client: Client
    rule: str | None
    dwell: Dwell
    settled: SettledDwell | None

    def counts(self) -> Sequence[WindowCount]:
        """How many people were in each window."""
        from sinks.clickhouse import exposure_windows

        if self.settled is None:
            if self.rule is None:
                return exposure_windows.window_counts(self.client)
            return exposure_windows.exposed_counts(self.client, self.rule, self.dwell)
        if self.rule is None:
            return exposure_windows.settled_window_counts(self.client)
        return exposure_windows.settled_exposed_counts(self.client, self.rule, self.settled)

    def size(self, window: str | None) -> Size:
        """How many people were in one, or in any."""
        from sinks.clickhouse import exposure_windows

        if self.settled is None:
            return exposure_windows.exposed_size(self.client, self.rule, self.dwell, window)
        return exposure_windows.settled_exposed_size(self.client, self.rule, self.settled, window)

    def people(self, window: str, most: int) -> Sequence[WindowVisitor] | Sequence[Exposed]:
        """Who was in one; how many they are is estimated first where the answer takes long."""
        from sinks.clickhouse import exposure_windows

        if self.settled is None:
            refuse_more_than(most, self.size(window))
            if self.rule is None:
                return exposure_windows.window_visitors(self.client, window)
            return exposure_windows.exposed_under_rule(self.client, self.rule, self.dwell, window)
        found: Sequence[WindowVisitor] | Sequence[Exposed]
        if self.rule is None:
            found = exposure_windows.settled_window_visitors(self.client, window)
        else:
            found = exposure_windows.settled_exposed_under_rule(self.client, self.rule, self.settled, window)
        refuse_more_than(most, len(found))
        return found


@friendly_errors
def windows(
    window: WindowId = None,
    rule: Rule = None,
    dwell: DwellOption = "best",
    settled: SettledFlag = False,
    max_people: MaxPeople = MOST_PEOPLE,
    estimate: EstimateFlag = False,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
    as_parquet: ParquetFlag = False,
    as_arrow: ArrowFlag = False,
) -> None:
    """Show every exposure window with how many people were there, or with --window who they are."""
    form = chosen_form(as_json, as_csv, as_parquet, as_arrow)
    settled_dwell = check_settled(dwell) if settled else None
    if estimate:
        require_size_form(form)
    settings = load_settings()
    about: dict[str, Any] = {"rule": rule, "dwell": None if rule is None else dwell}
    from sinks.clickhouse import exposure_windows, tracing

    counts: Sequence[WindowCount] = ()
    people: Sequence[Any] = ()
    size = None
    with connected(settings, sooner="" if settled else SETTLED_IS_SOONER) as client:
        if rule is not None:
            require_rule(client, rule)
        entry = None if window is None else exposure_windows.exposure_window(client, window)
        if window is not None and entry is None:
            fail(f"there is no exposure window {window!r}; `venuecode windows` lists them")
        if settled_dwell is not None:
            about["settled"] = as_dicts([require_settled(client, form, settings)])[0]
        question = _Question(client, rule, dwell, settled_dwell)
        if estimate:
            size = question.size(window)
        elif window is None:
            counts = question.counts()
        else:
            people = question.people(window, max_people)
        stored = tracing.stored_span(client)
    span = dict(zip(("stored_from", "stored_until"), stored or (None, None), strict=True))
    if size is not None:
        tell_size(form, size, {"window_id": window, **about, **span})
    elif form is not Form.TEXT and entry is None:
        print_rows(form, exposure_windows.WindowCount, counts, "windows", {**about, **span})
    elif form is not Form.TEXT:
        number = {"people": len(people), "entries": sum(_times(person) for person in people)}
        kind: type[Any] = exposure_windows.WindowVisitor if rule is None else exposure_windows.Exposed
        print_rows(form, kind, people, "visitors", {**as_dicts([entry])[0], **number, **about, **span})
    elif entry is None:
        _show_windows(counts, settings)
    elif rule is None:
        _show_visitors(people, settings)
    else:
        _show_exposed(people, settings)
    tell_stored(form, stored, settings)


def _times(person: WindowVisitor | Exposed) -> int:
    """How often somebody was in the window."""
    return int(getattr(person, "entries", getattr(person, "times", 0)))


def _show_visitors(people: Sequence[WindowVisitor], settings: Settings) -> None:
    table = Table(token_column("person"), "first entry", "last entry", "entries", box=None, header_style="bold")
    for person in people:
        first, last = (local_time(at, settings) for at in (person.first_entry, person.last_entry))
        table.add_row(person.person_token, first, last, str(person.entries))
    out.print(table)


def _show_exposed(people: Sequence[Exposed], settings: Settings) -> None:
    table = Table(
        token_column("person"), "counted", "first there", "last there", "stays ended by", box=None, header_style="bold"
    )
    for person in people:
        first, last = (local_time(at, settings) for at in (person.first_there, person.last_there))
        ended = ", ".join(person.dwells).replace("_", " ")
        table.add_row(person.person_token, duration(person.counted_s), first, last, ended)
    out.print(table)
    assumed = sum(not {"explicit", "next_scan"} & set(person.dwells) for person in people)
    out.print(f"{len(people)} people; of {assumed} nobody scanned when they left.", highlight=False)


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
