"""What the verbs that ask about contacts share: which rule, which way to end stays, and what the answer rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.clickhouse import local_time
from infra.cli.common import err, fail, out, print_json
from infra.cli.forms import Form, plain
from infra.settings import Settings
from sinks.clickhouse.dwell import Dwell, SettledDwell

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.settle import Settled
    from sinks.clickhouse.sizes import Size
    from sinks.clickhouse.tracing import Coverage

RuleOption = Annotated[
    str, typer.Option("--rule", help="Rule of contact, or a version of one: who@1. `venuecode rules list` shows them.")
]
DwellOption = Annotated[
    Dwell, typer.Option("--dwell", help="How the end of a stay is found; best: by a scan where there is one.")
]
MaxPeople = Annotated[
    int, typer.Option("--max-people", min=1, help="Refuse to name more people than this; nobody is named then.")
]
EstimateFlag = Annotated[
    bool, typer.Option("--estimate", help="Only say how many people this would name, within 5 %, and name nobody.")
]
SettledFlag = Annotated[
    bool, typer.Option("--settled", help="As of the last settlement, at once; with --dwell best or default.")
]
MOST_PEOPLE = 10_000
CELL, VENUE = "cell_800m", "venue"
"""What rules about cells, and about venues alone, take for one place."""
SETTLED_IS_SOONER = "ask with --settled (as of the last settlement, and much sooner)"
_NOTHING_STORED = "No scan of anybody is stored: nothing can be said about anybody."


def require_rule(client: Client, name: str, *, cells: bool = False) -> str:
    """What a rule takes for one place; a clear error, which lists what there is, where it cannot be asked.

    Args:
        client: connected to the database of the tables.
        name: of a rule in force, or of a version of one: `who@1`.
        cells: one about cells can be asked as well.

    Raises:
        typer.Exit: there is no such rule or version, or it is about cells and must not be.
    """
    from sinks.clickhouse.rules import stored_rules, versioned

    rule_id, at, _ = name.partition("@")
    entries = stored_rules(client, every_version=bool(at))
    known = {versioned(entry.rule_id, entry.version) if at else entry.rule_id: entry for entry in entries}
    asked = known.get(name)
    versions = [each for each, entry in known.items() if at and entry.rule_id == rule_id]
    if asked is None and versions:
        fail(f"--rule {name}: there is no such version; there are {', '.join(versions)}")
    if asked is None or (asked.place == CELL and not cells):
        usable = ", ".join(entry.rule_id for entry in stored_rules(client) if cells or entry.place != CELL)
        if asked is None:
            fail(f"--rule {rule_id}: there is no such rule; there are {usable}")
        fail(f"--rule {name}: this rule is about cells of 800 m; here are {usable}")
    return asked.place


def refuse_more_than(most: int, size: Size | int) -> None:
    """End with an error when an answer would name more people than allowed."""
    people, about = (size, "") if isinstance(size, int) else (size.people, "" if size.exact else "about ")
    if people > most:
        fail(
            f"this would name {about}{people:,} people, and --max-people allows {most:,}: ask for a shorter span or "
            "a stricter rule, or raise it"
        )


def require_size_form(form: Form) -> None:
    """A number is no table.

    Raises:
        typer.BadParameter: a form for tables is asked for beside `--estimate`.
    """
    if form not in (Form.TEXT, Form.JSON):
        raise typer.BadParameter("--estimate is a number: it goes with --json, or alone")


def tell_size(form: Form, size: Size, about: Mapping[str, Any]) -> None:
    """Say how many people an answer would name.

    Args:
        form: text or JSON.
        size: what was found.
        about: what was asked, for the JSON document.
    """
    if form is Form.JSON:
        print_json({**{key: plain(value) for key, value in about.items()}, **size_numbers(size)})
    elif size.exact:
        out.print(f"This would name {size.people:,} people.", highlight=False)
    else:
        out.print(
            f"This would name about {size.people:,} people, {size.at_least:,} to {size.at_most:,} by 19 chances in 20: "
            f"{size.share:.2%} of all people were looked at.",
            highlight=False,
        )


def size_numbers(size: Size) -> dict[str, Any]:
    """A size as JSON has it."""
    return {name: getattr(size, name) for name in ("people", "at_least", "at_most", "share", "exact")}


def tell_coverage(form: Form, found: Coverage, settings: Settings) -> None:
    """Say what an answer rests on: under a table, or on standard error beside CSV."""
    if found.stored_from is None or found.stored_until is None:
        _tell(form, _NOTHING_STORED)
    else:
        assumed = f"{found.assumed_stays} assumed ({found.assumed_share or 0:.0%})"
        _tell(
            form,
            f"Rests on {found.stays} stays: {found.explicit_stays} ended by a leave scan, {found.next_scan_stays} by "
            f"the next scan, {assumed}; late scans {found.late_scans} and flagged {found.flagged_scans}, counted too. "
            + _stored_text(found.stored_from, found.stored_until, settings),
        )


def check_settled(dwell: Dwell, beside: Mapping[str, object] | None = None, why: str = "") -> SettledDwell:
    """The way to end stays, where settled ones know it; nothing else that they cannot answer may be asked.

    Args:
        dwell: what was asked for.
        beside: values of the options that do not go with --settled, by name.
        why: appended to the message.

    Raises:
        typer.BadParameter: --settled does not go with what was asked for.
    """
    beside = beside or {}
    if any(beside.values()) or dwell not in ("best", "default"):
        *others, last = [*beside] or [""]
        names = f"{', '.join(others)} or {last}" if others else last
        raise typer.BadParameter(
            f"--settled goes with --dwell best or default{f', and not with {names}' if names else ''}{why}"
        )
    return dwell


def require_settled(client: Client, form: Form, settings: Settings) -> Settled:
    """The last settlement, and as of when it makes an answer is said; an error where nothing was settled yet."""
    from sinks.clickhouse.settle import settled

    found = settled(client)
    if not found.number:
        fail("--settled: no stays are settled yet: run `venuecode settle`, or leave it out")
    late = f" People with scans stored late since then: {found.late_people}." if found.late_people else ""
    _tell(
        form,
        f"As of the last settlement: scans until {local_time(found.until, settings)} that were stored until "
        f"{local_time(found.began_at, settings)}.{late}",
    )
    return found


def rules_left_out(client: Client, form: Form, ask: Callable[[str], Size]) -> list[dict[str, Any]]:
    """Rules in force that are not among all rules of a settled answer; how many people each names, and what says who.

    Args:
        client: connected to the database of the tables.
        form: what the answer is printed as.
        ask: how many contacts, and contacts of contacts, a rule about venues or trips makes.
    """
    from sinks.clickhouse.rules import stored_rules

    found: list[dict[str, Any]] = []
    for entry in stored_rules(client):
        if not entry.from_first_meeting:
            continue
        if entry.place in (VENUE, CELL):
            found.append({"rule_id": entry.rule_id})
            _tell(
                form,
                f"Left out is {entry.rule_id}: no settled answer is about contacts of contacts at venues or cells.",
            )
            continue
        size = ask(entry.rule_id)
        found.append({"rule_id": entry.rule_id, **size_numbers(size)})
        _tell(
            form,
            f"Left out is {entry.rule_id}: contacts and theirs are {'' if size.exact else 'about '}{size.people:,} "
            f"people; `venuecode chain TOKEN --rule {entry.rule_id} --settled` says who.",
        )
    return found


def tell_stored(form: Form, stored: tuple[datetime, datetime] | None, settings: Settings) -> None:
    """Say from when to when there is data, as `tell_coverage` does."""
    _tell(form, _NOTHING_STORED if stored is None else _stored_text(*stored, settings))


def _stored_text(first: datetime, last: datetime, settings: Settings) -> str:
    """From when to when there are scans, and what finding nobody means."""
    return (
        f"Stored are scans from {local_time(first, settings)} to {local_time(last, settings)}. "
        "Nobody found is no proof that nobody was there."
    )


def _tell(form: Form, text: str) -> None:
    if form in (Form.TEXT, Form.CSV):
        (out if form is Form.TEXT else err).print(text, highlight=False, soft_wrap=True)
