"""The questions, asked of the parameterised views; the meaning is in docs/co-presence.md, the SQL in the migrations.

Every client must be connected to the database of the tables (`ClickHouseTarget.client()`). Times are aware; spans are
half-open, [since, until). Person tokens are 32 hex digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import ask, people, person, rows, rule, span
from sinks.clickhouse.dwell import ANY_OVERLAP, Dwell, SettledDwell

VENUE_RULE: Final = "uk_nhs"
"""The published rule about any time at one venue; the view asks it where none is given."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a trajectory; `left_at` and `dwell` are null and empty for a leave scan."""

    scanned_at: datetime
    left_at: datetime | None
    dwell: str
    direction: str
    venue_id: str
    venue_name: str
    category: str
    area_code: str
    point_id: str
    vehicle: str
    run: str
    carriage: str
    seat: str
    colour: str
    decision: str
    channel: str
    flags: list[str]


@dataclass(frozen=True, slots=True)
class Stay:
    """From `scanned_at` until before `left_at` at one place; `dwell` says what the end rests on."""

    place: str
    venue_id: str
    vehicle: str
    run: str
    category: str
    scanned_at: datetime
    left_at: datetime
    dwell: str


@dataclass(frozen=True, slots=True)
class SettledStay:
    """As `Stay`, with where in the venue or vehicle it was."""

    scanned_at: datetime
    left_at: datetime
    dwell: str
    venue_id: str
    point_id: str
    vehicle: str
    run: str
    carriage: str
    seat: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """One stretch of time that the person and a contact had in common at one place."""

    contact: str
    place: str
    venue_id: str
    vehicle: str
    run: str
    category: str
    overlap_start: datetime
    overlap_end: datetime
    overlap_ms: int
    person_dwell: str
    contact_dwell: str
    indirect: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who met the person, under the rule in `rule_id` and `rule_version`.

    Attributes:
        overlap_s: time together in whole seconds, rounded down; each instant once.
        counted_s: what the rule held against its minimum.
        direct_s: time together without the rule's tail.
        indirect: all of it was in the tail.
        person_dwells, contact_dwells: what the ends of the stays rest on.
        late: one of the contact's scans arrived late.
    """

    contact: str
    overlap_s: int
    counted_s: int
    direct_s: int
    first_meeting: datetime
    last_meeting: datetime
    meetings: int
    indirect: bool
    venues: list[str]
    person_dwells: list[str]
    contact_dwells: list[str]
    late: bool
    rule_id: str
    rule_version: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Somebody who was with the person at all.

    Attributes:
        overlap_s: time together in whole seconds, rounded down; each instant once.
        first_meeting, last_together: when it began for the first time, and ended for the last.
    """

    contact: str
    overlap_s: int
    first_meeting: datetime
    last_together: datetime
    venues: list[str]


@dataclass(frozen=True, slots=True)
class CaseContact(Contact):
    """A contact of one of many people."""

    person: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whose stay at a venue reaches into a span."""

    person_token: str
    scanned_at: datetime
    left_at: datetime
    dwell: str
    point_id: str
    vehicle: str
    run: str


def trajectory(
    client: Client, person_token: str, since: datetime, until: datetime, dwell: Dwell = "best"
) -> list[Scan]:
    """A person's scans in [since, until), oldest first."""
    return ask(client, Scan, "trajectory", {**person(person_token, since, until), "dwell": dwell})


def stays(client: Client, person_token: str, since: datetime, until: datetime, dwell: Dwell = "best") -> list[Stay]:
    """A person's stays that reach into [since, until), oldest first."""
    return ask(client, Stay, "stays", {**person(person_token, since, until), "dwell": dwell})


def meetings(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: Dwell = "best",
) -> list[Meeting]:
    """Every meeting of a person in [since, until), clipped to it, oldest first.

    Raises:
        VenuecodeError: there is no such rule, or it is about cells.
    """
    return ask(client, Meeting, "meetings_of", {**person(person_token, since, until), **rule(rule_id, dwell)})


def contacts(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: Dwell = "best",
) -> list[Contact]:
    """Everybody whom a rule makes a contact of a person in [since, until), longest together first.

    Raises:
        VenuecodeError: there is no such rule, or it is about cells.
    """
    about = person(person_token, since, until)
    if dwell == "default":
        return ask(client, Contact, "contacts_by_default", {**about, "rule_id": rule_id})
    return ask(client, Contact, "contacts_of", {**about, **rule(rule_id, dwell)})


def settled_contacts(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: SettledDwell = "best",
) -> list[Contact]:
    """As `contacts`, out of settled stays: as of the last settlement (`sinks.clickhouse.settle.settled`), and sooner.

    Raises:
        VenuecodeError: there is no such rule, or it is about venues alone or about cells.
    """
    return ask(client, Contact, "settled_contacts_of", {**person(person_token, since, until), **rule(rule_id, dwell)})


def settled_contacts_by_venue(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = VENUE_RULE,
    dwell: SettledDwell = "best",
) -> list[Contact]:
    """As `settled_contacts`, under a rule about venues alone: who boarded a vehicle at a venue was there.

    Raises:
        VenuecodeError: there is no such rule, or it is not about venues alone.
    """
    about = {**person(person_token, since, until), **rule(rule_id, dwell)}
    return ask(client, Contact, "settled_contacts_by_venue", about)


def settled_trajectory(
    client: Client, person_token: str, since: datetime, until: datetime, dwell: SettledDwell = "best"
) -> list[SettledStay]:
    """A person's stays that began in [since, until), oldest first, as of the last settlement."""
    return ask(client, SettledStay, "settled_trajectory", {**person(person_token, since, until), "dwell": dwell})


def settled_overlaps(
    client: Client, person_token: str, since: datetime, until: datetime, dwell: SettledDwell = "best"
) -> list[Overlap]:
    """Everybody who was with a person in [since, until), as of the last settlement: the quickest answer there is."""
    return ask(client, Overlap, "settled_overlaps_of", {**person(person_token, since, until), "dwell": dwell})


def overlaps(client: Client, person_token: str, since: datetime, until: datetime) -> list[Overlap]:
    """Everybody who was with a person in [since, until), longest together first, by default ends of stays."""
    return ask(client, Overlap, "overlaps_by_default", person(person_token, since, until))


def contacts_of_many(
    client: Client,
    person_tokens: Sequence[str],
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: Dwell = "best",
) -> list[CaseContact]:
    """As `contacts`, for many people in one question; by person, longest together first.

    Raises:
        VenuecodeError: there is no such rule, or it is about cells.
    """
    about = people(person_tokens, since, until)
    return ask(client, CaseContact, "contacts_of_many", {**about, **rule(rule_id, dwell)})


def visitors(client: Client, venue_id: str, since: datetime, until: datetime) -> list[Visitor]:
    """Everybody whose stay at a venue, or on a trip of it, reaches into [since, until), by time of entry."""
    return ask(client, Visitor, "visitors_of", {"venue_id": venue_id, **span(since, until)})


def visits_stored(client: Client) -> int:
    """How many visits the views show: each once, however often it was written."""
    return int(rows(client, "SELECT count() FROM all_visits", {})[0][0])
