"""The co-presence views answer what the oracle answers, whatever the city looks like."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.categories import builtin_categories
from sinks.clickhouse import queries
from tests.support import copresence_oracle as oracle
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_oracle import OracleScan
from tests.support.visit_rows import insert_visits, instant, migrated_database, milliseconds, visit_document

pytestmark = pytest.mark.clickhouse

HOUR, MINUTE = 3_600_000, 60_000
MIDNIGHT = 1_772_928_000_000  # 2026-03-08T00:00:00Z
CATEGORIES = {
    name: (category.default_stay_minutes, category.max_stay_minutes) for name, category in builtin_categories().items()
}
PEOPLE, VENUES = 4, 3
_run = itertools.count()


@dataclass(frozen=True)
class City:
    """Scans of one example, and one question about it."""

    scans: tuple[OracleScan, ...]
    person: str
    since: int
    until: int


# Half-hours and the milliseconds around them, so that touching, equal and just-not-equal instants are common.
_moments = st.builds(
    lambda half_hours, off: MIDNIGHT + half_hours * 30 * MINUTE + off,
    st.one_of(st.integers(-6, 10), st.integers(-60, 60)),
    st.sampled_from([0, 0, 0, -1, 1, 999]),
)
_trips = st.sampled_from([None, None, ("bus", "1"), ("bus", "2"), ("bu", "s1")])


@st.composite
def cities(draw: st.DrawFn) -> City:
    number = next(_run)
    people = [f"{number:016x}{index:016x}" for index in range(PEOPLE)]
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(people),
                st.integers(0, VENUES - 1),
                _trips,
                _moments,
                st.sampled_from(["enter", "enter", "enter", "leave"]),
                st.sampled_from(["mall_supermarket", "railway", "quarantine_site", "unheard_of", None]),
            ),
            min_size=2,
            max_size=14,
        )
    )
    offsets = draw(st.permutations(range(len(rows))))
    scans = []
    for offset, (person, venue, trip, at, direction, category) in zip(offsets, rows, strict=True):
        named = None if trip is None else (f"{trip[0]}-{number}", trip[1])
        origin = (f"scans-{number}", int(person[-1]) % 2, offset)
        scans.append(OracleScan(person, f"V{number}-{venue}", named, at, direction, category, origin, at))
    again = draw(st.lists(st.sampled_from(scans), max_size=3))
    for scan in again:
        # The worker decided once more after a restart: the same identity, another version.
        category = draw(st.sampled_from([scan.category, "railway", None]))
        later = OracleScan(**{**vars(scan), "category": category, "processed_at": scan.at + 1 + len(scans)})
        scans.append(later)
    since, until = sorted(draw(st.tuples(_moments, _moments)))
    if draw(st.booleans()):
        since, until = MIDNIGHT - 72 * HOUR, MIDNIGHT + 72 * HOUR
    return City(tuple(scans), draw(st.sampled_from(people)), since, until + (since == until))


def document(scan: OracleScan) -> dict[str, Any]:
    trip = None
    if scan.trip is not None:
        trip = {"vehicle": scan.trip[0], "run": scan.trip[1], "carriage": None, "seat": None}
    return visit_document(
        scan.person,
        scan.at,
        scan.origin[2],
        venue_id=scan.venue,
        trip=trip,
        direction=scan.direction,
        category=scan.category,
        source_topic=scan.origin[0],
        source_partition=scan.origin[1],
        processed_at=instant(scan.processed_at).isoformat(),
    )


def store(client: Any, scans: Sequence[OracleScan]) -> None:
    """In two inserts, so that versions of one visit lie in one part as well as in two."""
    half = len(scans) // 2
    insert_visits(client, map(document, scans[:half]))
    insert_visits(client, map(document, scans[half:]))


def found_contacts(client: Any, person: str, since: int, until: int) -> dict[str, oracle.OracleContact]:
    return {
        contact.contact: oracle.OracleContact(
            contact.overlap_s,
            milliseconds(contact.first_meeting),
            milliseconds(contact.last_meeting),
            contact.meetings,
            tuple(contact.venues),
        )
        for contact in queries.contacts(client, person, instant(since), instant(until))
    }


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse, f"copresence_{uuid.uuid4().hex}") as target:
        connected = target.client()
        yield connected
        connected.close()


def _truncate_now_and_then(client: Any) -> None:
    """Hundreds of small inserts are hundreds of parts: examples have their own people, so old ones may go."""
    if next(_inserts) % 25 == 24:
        client.command("TRUNCATE TABLE visits")
        client.command("TRUNCATE TABLE visits_by_place")


_inserts = itertools.count()


@settings(max_examples=220, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(city=cities())
def test_contacts_of_equals_the_oracle_for_any_city(client: Any, city: City) -> None:
    _truncate_now_and_then(client)
    store(client, city.scans)
    expected = oracle.contacts(city.scans, CATEGORIES, city.person, city.since, city.until)
    assert found_contacts(client, city.person, city.since, city.until) == expected


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(city=cities())
def test_meetings_stays_and_symmetry_equal_the_oracle_for_any_city(client: Any, city: City) -> None:
    _truncate_now_and_then(client)
    store(client, city.scans)
    since, until = instant(city.since), instant(city.until)
    stays = [
        (stay.venue_id, milliseconds(stay.scanned_at), milliseconds(stay.left_at), stay.dwell)
        for stay in queries.stays(client, city.person, since, until)
    ]
    expected_stays = [
        (stay.venue, stay.start, stay.end, stay.dwell)
        for stay in oracle.stays(city.scans, CATEGORIES)
        if stay.person == city.person
        and stay.start < city.until
        and (stay.end > city.since or stay.start >= city.since)
    ]
    assert sorted(stays) == sorted(expected_stays)
    found = queries.meetings(client, city.person, since, until)
    assert sorted(
        (
            meeting.contact,
            milliseconds(meeting.overlap_start),
            milliseconds(meeting.overlap_end),
            meeting.person_dwell,
            meeting.contact_dwell,
        )
        for meeting in found
    ) == sorted(
        (meeting.contact, meeting.start, meeting.end, meeting.person_dwell, meeting.contact_dwell)
        for meeting in oracle.meetings(city.scans, CATEGORIES, city.person, city.since, city.until)
    )
    for contact in {meeting.contact for meeting in found}:
        assert city.person in found_contacts(client, contact, city.since, city.until)
