"""Questions about cells of the 800 m grid: who was in one with a person, and for how long people were in each.

The meaning is in docs/co-presence.md. As in `sinks.clickhouse.queries`: times are aware, spans half-open, person tokens
32 hex digits. Every function may raise what `sinks.clickhouse.asking.ask` raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import ask, people, person, rule
from sinks.clickhouse.dwell import Dwell, SettledDwell
from sinks.clickhouse.queries import Contact, Overlap
from sinks.clickhouse.sizes import Size, ask_size

COMPANION_RULE: Final = "cn_spacetime_companion"
"""The published rule about cells; the views ask it where none is given."""


@dataclass(frozen=True, slots=True)
class Companion(Contact):
    """A contact under a rule about cells; `cells` are ids of the 800 m grid."""

    cells: list[str]


@dataclass(frozen=True, slots=True)
class CellOverlap(Overlap):
    """Somebody who was in one cell of the 800 m grid with the person at all; `venues` are where they were then."""

    cells: list[str]


@dataclass(frozen=True, slots=True)
class CellHours:
    """How many hours a person was in a cell of the 800 m grid."""

    person: str
    cell: str
    hours: float
    dwells: list[str]


def companions_by_cell(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = COMPANION_RULE,
    dwell: Dwell = "best",
    *,
    hours_clause: bool = False,
) -> list[Companion]:
    """Who was in one cell of the grid with a person, longest together first.

    Args:
        client: connected to the database of the tables.
        person_token: the case.
        since: of the span.
        until: of the span.
        rule_id: a rule about cells.
        dwell: how stays end.
        hours_clause: only where either of the two was in the cell for longer than the rule's hours, in its days before
            `until`.
    """
    arguments = _question(person_token, since, until, rule_id, dwell, hours_clause=hours_clause)
    return ask(client, Companion, "companions_by_cell", arguments)


def companions_size(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = COMPANION_RULE,
    dwell: Dwell = "best",
    *,
    hours_clause: bool = False,
) -> Size:
    """How many people `companions_by_cell` would name."""
    arguments = _question(person_token, since, until, rule_id, dwell, hours_clause=hours_clause)
    return ask_size(client, "companions_by_cell_estimate", arguments)


def settled_companions(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = COMPANION_RULE,
    dwell: SettledDwell = "best",
    *,
    hours_clause: bool = False,
) -> list[Companion]:
    """What `companions_by_cell` answers, as of the last settlement."""
    view = "settled_companions_by_cell_hours" if hours_clause else "settled_companions_by_cell"
    return ask(client, Companion, view, {**person(person_token, since, until), **rule(rule_id, dwell)})


def settled_overlaps_in_cells(
    client: Client, person_token: str, since: datetime, until: datetime, dwell: SettledDwell = "best"
) -> list[CellOverlap]:
    """Everybody who was in one cell with a person in [since, until), as of the last settlement: the quickest answer."""
    return ask(client, CellOverlap, "settled_overlaps_in_cells", {**person(person_token, since, until), "dwell": dwell})


def cell_hours(
    client: Client, person_tokens: Sequence[str], since: datetime, until: datetime, dwell: Dwell = "best"
) -> list[CellHours]:
    """How long people were in each cell, by person, longest first."""
    return ask(client, CellHours, "cell_hours", {**people(person_tokens, since, until), "dwell": dwell})


def _question(
    person_token: str, since: datetime, until: datetime, rule_id: str, dwell: Dwell, *, hours_clause: bool
) -> dict[str, str]:
    clause = {"hours_clause": "on" if hours_clause else "off"}
    return {**person(person_token, since, until), **rule(rule_id, dwell), **clause}
