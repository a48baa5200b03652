"""`venuecode contacts TOKEN`: who shared a place and a time with a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.clickhouse import (
    Since,
    Token,
    Until,
    connected,
    duration,
    instant,
    local_time,
    shortened,
    span,
    token_column,
)
from infra.cli.common import JsonFlag, fail, friendly_errors, load_settings, out
from infra.cli.forms import ArrowFlag, CsvFlag, Form, ParquetFlag, as_dicts, chosen_form, print_rows
from infra.cli.questions import (
    CELL,
    MOST_PEOPLE,
    SETTLED_IS_SOONER,
    VENUE,
    DwellOption,
    MaxPeople,
    RuleOption,
    SettledFlag,
    check_settled,
    refuse_more_than,
    require_rule,
    require_settled,
    rules_left_out,
    tell_coverage,
)
from infra.settings import Settings
from sinks.clickhouse.dwell import ANY_OVERLAP, Dwell, SettledDwell

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.queries import Contact

AllRules = Annotated[bool, typer.Option("--all-rules", help="Ask every rule in force, and show them side by side.")]
Onset = Annotated[
    str | None,
    typer.Option("--onset", help="Onset or sampling, from where --all-rules look back and ahead. Default: --until."),
]
HoursClause = Annotated[
    bool,
    typer.Option(
        "--hours-clause",
        help="Of a rule about cells: only where either of the two was in the cell for longer than its hours.",
    ),
]


@dataclass(frozen=True, slots=True)
class _Question:
    """Whom rules make contacts of a person, out of settled stays where `settled` says how they end."""

    client: Client
    token: str
    since: datetime
    until: datetime
    dwell: Dwell
    settled: SettledDwell | None

    def contacts(self, rule: str, place: str) -> Sequence[Contact]:
        """Under a rule about trips, or about venues alone."""
        from sinks.clickhouse import queries

        about = (self.client, self.token, self.since, self.until, rule)
        if self.settled is None:
            return queries.contacts(*about, self.dwell)
        if place == VENUE:
            return queries.settled_contacts_by_venue(*about, self.settled)
        return queries.settled_contacts(*about, self.settled)

    def companions(self, rule: str, most: int, *, hours_clause: bool) -> Sequence[Contact]:
        """Under a rule about cells; how many they are is estimated first where the answer takes long."""
        from sinks.clickhouse import companions

        about = (self.client, self.token, self.since, self.until, rule)
        if self.settled is not None:
            return companions.settled_companions(*about, self.settled, hours_clause=hours_clause)
        refuse_more_than(most, companions.companions_size(*about, self.dwell, hours_clause=hours_clause))
        return companions.companions_by_cell(*about, self.dwell, hours_clause=hours_clause)

    def all_rules(self, anchor: datetime) -> Sequence[Contact]:
        """Under every rule, looking back and ahead from `anchor`."""
        from sinks.clickhouse import tracing

        about = (self.client, self.token, anchor, self.since, self.until)
        if self.settled is not None:
            return tracing.settled_rule_comparison(*about, self.settled)
        return tracing.rule_comparison(*about, self.dwell)


@friendly_errors
def contacts(
    token: Token,
    since: Since = None,
    until: Until = None,
    rule: RuleOption = ANY_OVERLAP,
    dwell: DwellOption = "best",
    hours_clause: HoursClause = False,
    all_rules: AllRules = False,
    onset: Onset = None,
    settled: SettledFlag = False,
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
    anchor = end if onset is None else instant("--onset", onset, settings)
    if onset is not None and not all_rules:
        raise typer.BadParameter("--onset says from where every rule looks back and ahead: give --all-rules as well")
    if all_rules and rule != ANY_OVERLAP:
        raise typer.BadParameter("--all-rules asks every rule: leave out --rule")
    if all_rules and hours_clause:
        raise typer.BadParameter(
            "--all-rules asks the rules about cells without their clause: leave out --hours-clause"
        )
    settled_dwell = check_settled(dwell) if settled else None
    from sinks.clickhouse import companions, queries, tracing

    asked: dict[str, Any] = {"onset": anchor} if all_rules else {"rule": rule}
    found: Sequence[Contact]
    kind: type[Contact] = queries.Contact
    with connected(settings, sooner="" if settled else SETTLED_IS_SOONER) as client:
        place = "" if all_rules else require_rule(client, rule, cells=True)
        about_cells = place == CELL
        if about_cells:
            asked["hours_clause"] = hours_clause
        elif hours_clause:
            fail(f"--hours-clause: the rule {rule} is not about cells")
        if settled_dwell is not None:
            asked["settled"] = as_dicts([require_settled(client, form, settings)])[0]
        question = _Question(client, token, begin, end, dwell, settled_dwell)
        if about_cells:
            kind, found = companions.Companion, question.companions(rule, max_people, hours_clause=hours_clause)
        elif all_rules:
            if settled_dwell is None:
                kind = tracing.Compared
            else:
                size = partial(tracing.settled_chain_size, client, token, begin, end, dwell=settled_dwell)
                asked["left_out"] = rules_left_out(client, form, size)
            found = question.all_rules(anchor)
        else:
            found = question.contacts(rule, place)
        refuse_more_than(max_people, len({contact.contact for contact in found}))
        resting = tracing.coverage(client, token, begin, end, dwell)
    if form is not Form.TEXT:
        about = {"person_token": token, "since": begin, "until": end, **asked, "dwell": dwell}
        print_rows(form, kind, found, "contacts", {**about, "coverage": as_dicts([resting])[0]})
    elif all_rules:
        _show_rules(found)
    else:
        _show_contacts(found, settings)
        out.print(
            f"{len(found)} contacts from {local_time(begin, settings)} to {local_time(end, settings)}.",
            highlight=False,
        )
    tell_coverage(form, resting, settings)


def _show_contacts(found: Sequence[Contact], settings: Settings) -> None:
    table = Table(
        token_column("contact"), "together", "meetings", "first", "last", "venues", box=None, header_style="bold"
    )
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


def _show_rules(compared: Sequence[Contact]) -> None:
    """A line for each person with the rules that make a contact of them, then how many each rule names."""
    by_person: dict[str, list[Contact]] = {}
    for contact in compared:
        by_person.setdefault(contact.contact, []).append(contact)
    table = Table(token_column("contact"), "longest together", "contact under", box=None, header_style="bold")
    for person, under in sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0])):
        longest = max(contact.overlap_s for contact in under)
        table.add_row(person, duration(longest), ", ".join(sorted({contact.rule_id for contact in under})))
    out.print(table)
    people = Counter(rule_id for rule_id, _ in {(contact.rule_id, contact.contact) for contact in compared})
    named = ", ".join(f"{rule_id} {count}" for rule_id, count in sorted(people.items()))
    out.print(f"{len(by_person)} people are contacts under some rule: {named or 'none'}.", highlight=False)


def register(app: typer.Typer) -> None:
    app.command("contacts")(contacts)
