"""Questions about several people, rules or places the obvious way: docs/co-presence.md, on the oracle's meetings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.support.copresence_oracle import (
    DAY_MS,
    OracleCity,
    OracleContact,
    OracleRule,
    OracleScan,
    OracleStay,
    contacts,
    contacts_of_meetings,
    counted,
    covered,
    meetings,
    meets_rule,
    place_of,
    stays,
    stretches_of,
    unique_scans,
)

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Link:
    """A contact of degree 1 or 2; `via` is empty in degree 1."""

    degree: int
    contact: str
    via: str
    counted_s: int
    first_meeting: int


def compared(
    city: OracleCity,
    person: str,
    anchor: int,
    span: tuple[int, int],
    rules: Mapping[str, tuple[OracleRule, int, int | None]],
    mode: str,
) -> dict[str, dict[str, OracleContact]]:
    """One case under rules that each have days of lookback and of lookahead (None: to the end of the span)."""
    found = {}
    for name, (rule, back, ahead) in rules.items():
        since = max(span[0], anchor - back * DAY_MS)
        until = span[1] if ahead is None else min(span[1], anchor + ahead * DAY_MS)
        found[name] = contacts(city, person, since, until, rule, mode)
    return {name: people for name, people in found.items() if people}


def second_degree(
    city: OracleCity,
    person: str,
    since: int,
    until: int,
    rule: OracleRule,
    mode: str,
    reds: Mapping[str, list[int]],
    given: Mapping[str, int] = MappingProxyType({}),
) -> dict[tuple[str, str], OracleContact]:
    """Contacts of contacts, by who they are and whom they were met by; `given`: when somebody was isolated."""
    first = contacts(city, person, since, until, rule, mode)
    second = {}
    for via, met in first.items():
        isolated = min([red for red in reds.get(via, []) if red > met.first_meeting], default=until)
        isolated = min(isolated, until, given.get(via, until))
        for contact, found in contacts(city, via, met.first_meeting, isolated, rule, mode).items():
            if contact != person and contact not in first:
                second[contact, via] = found
    return second


def chain(
    city: OracleCity,
    person: str,
    since: int,
    until: int,
    rule: OracleRule,
    mode: str,
    reds: Mapping[str, list[int]],
    given: Mapping[str, int] = MappingProxyType({}),
) -> set[Link]:
    """Contacts, and their contacts from the first meeting on until the contact turned red or was isolated."""
    first = contacts(city, person, since, until, rule, mode)
    links = {Link(1, contact, "", found.counted_s, found.first_meeting) for contact, found in first.items()}
    for (contact, via), found in second_degree(city, person, since, until, rule, mode, reds, given).items():
        links.add(Link(2, contact, via, found.counted_s, found.first_meeting))
    return links


def shared_places(
    city: OracleCity, people: Iterable[str], since: int, until: int, mode: str
) -> set[tuple[int, int, tuple[str, ...]]]:
    """Stretches that stays of several people at one place cover without a gap: begin, end and who."""
    wanted = set(people)
    by_place: dict[object, list[tuple[int, int, str]]] = {}
    for stay in stays(city, mode):
        start, end = max(stay.start, since), min(stay.end, until)
        if stay.scan.person in wanted and start < end:
            by_place.setdefault(stay.scan.place, []).append((start, end, stay.scan.person))
    found = set()
    for parts in by_place.values():
        for stretch in stretches_of(parts):
            who = tuple(sorted({person for _, _, person in stretch}))
            if len(who) > 1:
                found.add((min(part[0] for part in stretch), max(part[1] for part in stretch), who))
    return found


def cell_hours(city: OracleCity, person: str, since: int, until: int, mode: str) -> dict[str, float]:
    """Hours of a person in each cell of the grid."""
    rule = OracleRule(place="cell_800m")
    parts: dict[str, list[tuple[int, int]]] = {}
    for stay in stays(city, mode):
        place = place_of(stay.scan, rule, city)
        if stay.scan.person == person and place is not None:
            parts.setdefault(place[0], []).append((stay.start, stay.end))
    hours = {cell: covered(found, since, until) / HOUR_MS for cell, found in parts.items()}
    return {cell: spent for cell, spent in hours.items() if spent > 0}


def companions(
    city: OracleCity, person: str, since: int, until: int, rule: OracleRule, mode: str, hours: int, days: int
) -> dict[str, OracleContact]:
    """Contacts under a rule about cells, by their meetings in cells where either was longer than `hours` in `days`."""

    def was_long_in(who: str, cell: str) -> bool:
        return cell_hours(city, who, until - days * DAY_MS, until, mode).get(cell, 0) > hours

    kept = []
    for meeting in meetings(city, person, since, until, rule, mode):
        place = place_of(meeting.pieces[0].theirs.scan, rule, city)
        assert place is not None
        if was_long_in(person, place[0]) or was_long_in(meeting.contact, place[0]):
            kept.append(meeting)
    return contacts_of_meetings(city, kept, since, until, rule)


def exposed(
    city: OracleCity, windows: Mapping[str, tuple[str, int, int]], rule: OracleRule, mode: str
) -> dict[tuple[str, str], int]:
    """Whom a rule makes a contact of a window (venue, start, end), and the milliseconds that were counted."""
    return exposed_stays(stays(city, "none" if rule.instant else mode), windows, rule, city.zone)


def exposed_stays(
    there: Iterable[OracleStay], windows: Mapping[str, tuple[str, int, int]], rule: OracleRule, zone: str
) -> dict[tuple[str, str], int]:
    """The same out of stays; under a rule of instants, those of mode `none`."""
    parts: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for stay in there:
        for window_id, (venue, begin, end) in windows.items():
            if stay.scan.venue == venue and (part := _in_window(stay, begin, end, rule)) is not None:
                parts.setdefault((window_id, stay.scan.person), []).append(part)
    found = {}
    for key, mine in parts.items():
        whole = [(min(p[0] for p in stretch), max(p[1] for p in stretch)) for stretch in stretches_of(mine)]
        length = counted(rule, whole, zone)
        if meets_rule(length, rule):
            found[key] = length
    return found


def _in_window(stay: OracleStay, begin: int, end: int, rule: OracleRule) -> tuple[int, int] | None:
    if rule.instant:
        return (stay.start, stay.start) if begin < stay.start < end else None
    part = max(stay.start, begin), min(stay.end, end)
    return part if part[0] < part[1] else None


def by_hour(scans: Iterable[OracleScan], keys: Mapping[str, str]) -> dict[tuple[int, str], tuple[int, int]]:
    """Entries off trips by hour and key of the venue: visits and people in tens, where there are ten people."""
    found: dict[tuple[int, str], list[str]] = {}
    for scan in unique_scans(scans):
        if scan.direction == "enter" and scan.trip is None and scan.venue in keys:
            found.setdefault((scan.at // HOUR_MS * HOUR_MS, keys[scan.venue]), []).append(scan.person)
    tens = {key: (len(people) // 10 * 10, len(set(people)) // 10 * 10) for key, people in found.items()}
    return {key: numbers for key, numbers in tens.items() if numbers[1] >= 10}
