"""Questions about several people, rules or places; the meaning is in docs/co-presence.md, the SQL in the migrations.

As in `sinks.clickhouse.queries`: times are aware, spans half-open, person tokens 32 hex digits. Every function may
raise what `sinks.clickhouse.asking.ask` raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import ask, instant, people, person, rows, rule
from sinks.clickhouse.dwell import ANY_OVERLAP, Dwell, SettledDwell
from sinks.clickhouse.queries import Contact
from sinks.clickhouse.sizes import Size, ask_size


@dataclass(frozen=True, slots=True)
class Compared(Contact):
    """A contact under one of all rules; `via` is whom a contact of a contact was met by, else empty."""

    via: str


@dataclass(frozen=True, slots=True)
class Link:
    """A contact (`degree` 1), or a contact of one (2): `via` is that one, empty in degree 1."""

    degree: int
    contact: str
    via: str
    counted_s: int
    first_meeting: datetime
    last_meeting: datetime
    person_dwells: list[str]
    contact_dwells: list[str]


@dataclass(frozen=True, slots=True)
class SettledLink:
    """A contact (`degree` 1), or a contact of one (2), and when they first met one of the degree before."""

    degree: int
    contact: str
    first_meeting: datetime


@dataclass(frozen=True, slots=True)
class SettledOverlap:
    """Somebody who was with one of several people at all, as of the last settlement."""

    person: str
    contact: str
    overlap_s: int
    first_meeting: datetime
    last_together: datetime


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """A place and a time that several cases shared; `dwells` says what their stays rest on."""

    place: str
    venue_id: str
    shared_from: datetime
    shared_until: datetime
    cases: int
    people: list[str]
    dwells: list[str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an answer about a person rests on; nothing found is no proof that nothing was there.

    Attributes:
        assumed_stays: whose end nobody scanned; `assumed_share` of all, None without stays.
        entries_without_stay: in mode `explicit`, entries whose leave nobody scanned.
        late_scans, flagged_scans: counted in answers like all others.
        stored_from, stored_until: the first and the last scan stored, of anybody.
    """

    stays: int
    explicit_stays: int
    next_scan_stays: int
    assumed_stays: int
    assumed_share: float | None
    entries_without_stay: int
    late_scans: int
    flagged_scans: int
    stored_from: datetime | None
    stored_until: datetime | None


def rule_comparison(
    client: Client, person_token: str, anchor: datetime, since: datetime, until: datetime, dwell: Dwell = "best"
) -> list[Compared]:
    """Contacts under every rule, by rule, longest first.

    A rule about cells stands without its clause about hours, and one that looks back to the first meeting names
    contacts of contacts, as `contact_chain` does.

    Args:
        client: connected to the database of the tables.
        person_token: the case.
        anchor: onset or sampling; each rule looks back and ahead from here, within the span.
        since: of the span.
        until: of the span: isolation.
        dwell: how stays end.
    """
    arguments = {**person(person_token, since, until), "anchor": instant(anchor), "dwell": dwell}
    return ask(client, Compared, "rule_comparison", arguments)


def settled_rule_comparison(
    client: Client, person_token: str, anchor: datetime, since: datetime, until: datetime, dwell: SettledDwell = "best"
) -> list[Contact]:
    """What `rule_comparison` answers, as of the last settlement, by rule and longest together first.

    Rules about contacts of contacts are left out.
    """
    about = {**person(person_token, since, until), "anchor": instant(anchor), "dwell": dwell}
    return ask(client, Contact, "settled_rule_comparison", about)


def contact_chain(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: Dwell = "best",
    isolated: Mapping[str, datetime] | None = None,
) -> list[Link]:
    """Contacts, and theirs from the first meeting until the contact was isolated, or `until`; in no order.

    Args:
        client: connected to the database of the tables.
        person_token: the case.
        since: of the span.
        until: of the span.
        rule_id: of both degrees.
        dwell: how stays end.
        isolated: when contacts were isolated, by token; who turned red was so from then on at the latest.
    """
    return ask(client, Link, "contact_chain", _chain(person_token, since, until, rule_id, dwell, isolated))


def chain_size(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: Dwell = "best",
    isolated: Mapping[str, datetime] | None = None,
) -> Size:
    """How many people `contact_chain` would name."""
    return ask_size(client, "contact_chain_estimate", _chain(person_token, since, until, rule_id, dwell, isolated))


def settled_chain(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: SettledDwell = "best",
) -> list[SettledLink]:
    """Contacts and theirs, as of the last settlement, one entry a person; in no order.

    Contacts of contacts count from the first meeting on until the contact turned red, or `until`.

    Raises:
        VenuecodeError: there is no such rule, or it is about venues alone or about cells.
    """
    about = person(person_token, since, until)
    if rule_id == ANY_OVERLAP:
        return ask(client, SettledLink, "settled_overlap_chain", {**about, "dwell": dwell})
    return ask(client, SettledLink, "settled_chain", {**about, **rule(rule_id, dwell)})


def settled_chain_size(
    client: Client,
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str = ANY_OVERLAP,
    dwell: SettledDwell = "best",
) -> Size:
    """How many people `settled_chain` would name; raises what it raises."""
    about = person(person_token, since, until)
    if rule_id == ANY_OVERLAP:
        return ask_size(client, "settled_overlap_chain_estimate", {**about, "dwell": dwell})
    return ask_size(client, "settled_chain_estimate", {**about, **rule(rule_id, dwell)})


def settled_overlaps_of_many(
    client: Client, person_tokens: Sequence[str], since: datetime, until: datetime, dwell: SettledDwell = "best"
) -> list[SettledOverlap]:
    """Everybody who was with one of several people, as of the last settlement; in no order."""
    about = people(person_tokens, since, until)
    return ask(client, SettledOverlap, "settled_overlaps_of_many", {**about, "dwell": dwell})


def _chain(
    person_token: str,
    since: datetime,
    until: datetime,
    rule_id: str,
    dwell: Dwell,
    isolated: Mapping[str, datetime] | None,
) -> dict[str, str]:
    times = ",".join(f"{token} {instant(at)}" for token, at in (isolated or {}).items())
    return {**person(person_token, since, until), **rule(rule_id, dwell), "isolated": times}


def candidate_sources(
    client: Client, person_tokens: Sequence[str], since: datetime, until: datetime, dwell: Dwell = "best"
) -> list[SharedPlace]:
    """Places and times that several of the cases shared, those of most cases first."""
    return ask(client, SharedPlace, "candidate_sources", {**people(person_tokens, since, until), "dwell": dwell})


def stored_span(client: Client) -> tuple[datetime, datetime] | None:
    """When the first and the last scan stored were, of anybody; None where there is none."""
    ((count, first, last),) = rows(client, "SELECT count(), min(scanned_at), max(scanned_at) FROM visits", {})
    return (first, last) if count else None


def coverage(client: Client, person_token: str, since: datetime, until: datetime, dwell: Dwell = "best") -> Coverage:
    """What answers about a person rest on."""
    (found,) = ask(client, Coverage, "coverage", {**person(person_token, since, until), "dwell": dwell})
    return found


def coverage_of_many(
    client: Client, person_tokens: Sequence[str], since: datetime, until: datetime, dwell: Dwell = "best"
) -> Coverage:
    """What answers about several people rest on together."""
    arguments = {**people(person_tokens, since, until), "dwell": dwell}
    (found,) = ask(client, Coverage, "coverage_of_many", arguments)
    return found
