"""What must hold between answers whatever the city looks like."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.errors import VenuecodeError
from sinks.clickhouse import asking, queries
from sinks.clickhouse import tracing as traces
from sinks.clickhouse.dwell import Dwell
from sinks.clickhouse.rules import builtin_contact_rules, store_rules
from tests.support import tracing_oracle as tracing
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import HOUR, MIDNIGHT, MINUTE, PEOPLE, SPAN, City, cities, clear, document, store
from tests.support.copresence_oracle import OracleScan, cell
from tests.support.visit_rows import insert_visits, instant, migrated_database, milliseconds

pytestmark = pytest.mark.clickhouse

BASE = next(rule for rule in builtin_contact_rules() if rule.rule_id == "any_overlap")
LADDER = (
    replace(BASE, rule_id="minutes_30", min_minutes=30),
    replace(BASE, rule_id="minutes_10", min_minutes=10),
    replace(BASE, rule_id="tail_10", min_minutes=10, indirect_tail="min(stay;30)"),
    replace(BASE, rule_id="tail_60", min_minutes=10, indirect_tail="min(stay;60)"),
    replace(BASE, rule_id="summed", min_minutes=10, indirect_tail="min(stay;60)", sum_over="rolling_24h"),
)
"""Each names everybody whom the one before it names."""
SYMMETRIC = ("any_overlap", "cn_close_contact", "us_cdc", "who")

towns = st.lists(cities(), min_size=6, max_size=6)
dwells = st.sampled_from(["best", "explicit", "next_scan", "default"])
few = settings(suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        store_rules(connected, LADDER, "operator")
        yield connected
        connected.close()


@pytest.fixture
def client(database: Any) -> Any:
    clear(database)
    return database


def named(
    client: Any, towns: list[City], index: int, rule_id: str, dwell: Dwell, span: tuple[int, int] = SPAN
) -> dict[tuple[str, str], queries.CaseContact]:
    """Contacts of one case a city, by case and contact.

    Cities share nothing, so each answers for a single case. Were everybody in a city a case, nobody would have to be
    found as somebody else's candidate, and a contact that is overlooked would not be missed.
    """
    people = [city.people[index] for city in towns]
    found = queries.contacts_of_many(client, people, instant(span[0]), instant(span[1]), rule_id, dwell)
    return {(row.person, row.contact): row for row in found}


@settings(few, max_examples=3)
@given(towns=towns, dwell=dwells, rule_id=st.sampled_from(SYMMETRIC))
def test_being_a_contact_is_mutual_where_the_rule_has_no_tail(
    client: Any, towns: list[City], dwell: Dwell, rule_id: str
) -> None:
    store(client, towns)
    found = {}
    for index in range(PEOPLE):
        found.update(named(client, towns, index, rule_id, dwell))
    seen = {key: (row.counted_s, row.meetings, row.first_meeting) for key, row in found.items()}
    assert seen == {(person, contact): each for (contact, person), each in seen.items()}


@settings(few, max_examples=3)
@given(towns=towns, dwell=dwells, index=st.integers(0, PEOPLE - 1))
def test_a_smaller_minimum_or_a_longer_tail_or_a_wider_sum_never_names_fewer(
    client: Any, towns: list[City], dwell: Dwell, index: int
) -> None:
    store(client, towns)
    ladder = [set(named(client, towns, index, rule.rule_id, dwell)) for rule in LADDER]
    assert all(fewer <= more for fewer, more in itertools.pairwise(ladder))


@settings(few, max_examples=2)
@given(towns=towns, dwell=dwells, rule_id=st.sampled_from(["any_overlap", "uk_nhs"]), index=st.integers(0, PEOPLE - 1))
def test_the_days_of_a_span_add_up_to_the_span_and_all_scans_stored_twice_change_nothing(
    client: Any, towns: list[City], dwell: Dwell, rule_id: str, index: int
) -> None:
    store(client, towns)
    whole = named(client, towns, index, rule_id, dwell)
    days = [(begin, begin + 24 * HOUR) for begin in range(MIDNIGHT - 96 * HOUR, MIDNIGHT + 96 * HOUR, 24 * HOUR)]
    by_day = [named(client, towns, index, rule_id, dwell, day) for day in days]
    wide = named(client, towns, index, rule_id, dwell, (days[0][0], days[-1][1]))
    together = {key: sum(day[key].overlap_s for day in by_day if key in day) for key in wide}
    assert set().union(*by_day) == set(wide)
    for key, seconds in together.items():
        assert wide[key].overlap_s - len(days) <= seconds <= wide[key].overlap_s, "each day rounds down once"
    chains = [_links(client, city.people[index], rule_id, dwell) for city in towns[:2]]
    store(client, towns)
    assert named(client, towns, index, rule_id, dwell) == whole
    assert [_links(client, city.people[index], rule_id, dwell) for city in towns[:2]] == chains


@settings(few, max_examples=2)
@given(towns=towns, dwell=dwells, rule_id=st.sampled_from(["any_overlap", "uk_nhs"]), index=st.integers(0, PEOPLE - 1))
def test_scans_that_arrive_late_change_answers_as_if_they_had_been_there_all_along(
    client: Any, towns: list[City], dwell: Dwell, rule_id: str, index: int
) -> None:
    for late in (False, True):
        store(client, [replace(city, scans=tuple(scan for scan in city.scans if scan.late == late)) for city in towns])
        found = named(client, towns, index, rule_id, dwell)
    clear(client)
    store(client, towns)
    assert named(client, towns, index, rule_id, dwell) == found


def _links(client: Any, person: str, rule_id: str, dwell: Dwell) -> set[tuple[int, str, str, int, datetime]]:
    found = traces.contact_chain(client, person, instant(SPAN[0]), instant(SPAN[1]), rule_id, dwell)
    return {(link.degree, link.contact, link.via, link.counted_s, link.first_meeting) for link in found}


@settings(few, max_examples=3)
@given(towns=towns, dwell=dwells, rule_id=st.sampled_from(["any_overlap", "uk_nhs", "cwa"]))
def test_contacts_of_contacts_are_what_asking_about_one_contact_after_the_other_names(
    client: Any, towns: list[City], dwell: Dwell, rule_id: str
) -> None:
    store(client, towns)
    until = instant(SPAN[1])
    for city in towns[:2]:
        person = city.people[0]
        first = queries.contacts(client, person, instant(SPAN[0]), until, rule_id, dwell)
        expected = {(1, row.contact, "", row.counted_s, row.first_meeting) for row in first}
        known = {person, *(row.contact for row in first)}
        for via in first:
            for row in queries.contacts(client, via.contact, via.first_meeting, until, rule_id, dwell):
                if row.contact not in known:
                    expected.add((2, row.contact, via.contact, row.counted_s, row.first_meeting))
        assert _links(client, person, rule_id, dwell) == expected


def test_somebody_at_the_venue_where_a_contact_boarded_is_a_contact_of_theirs_under_a_rule_about_venues(
    client: Any,
) -> None:
    case, contact, other = (letter * 32 for letter in "abc")
    bus = ("bus-7", "1")
    scans = [
        OracleScan(person, venue, trip, MIDNIGHT + minute * MINUTE, direction, None, ("t", 0, number), 0)
        for number, (person, venue, trip, minute, direction) in enumerate(
            [
                (case, "V-1", None, 0, "enter"),
                (contact, "V-1", None, 0, "enter"),
                (case, "V-1", None, 20, "leave"),
                (contact, "V-2", bus, 30, "enter"),
                (other, "V-2", None, 31, "enter"),
            ]
        )
    ]
    insert_visits(client, map(document, scans))
    by_venue, by_trip = _links(client, case, "uk_nhs", "best"), _links(client, case, "any_overlap", "best")
    assert {link[:3] for link in by_venue} == {(1, contact, ""), (2, other, contact)}
    assert {link[:3] for link in by_trip} == {(1, contact, "")}
    (seen,) = queries.contacts(client, other, instant(SPAN[0]), instant(SPAN[1]), "uk_nhs")
    assert seen.contact == contact


def test_statistics_show_tens_of_ten_people_at_least_and_equal_the_count(client: Any) -> None:
    venues = {"N-1": (37.87, 112.55), "N-2": (37.8701, 112.5501), "N-3": (37.9, 112.6)}
    scans = [
        OracleScan(f"{person:032x}", venue, None, at, "enter", None, ("t", 0, number * 100 + person), 0)
        for number, (venue, people, at) in enumerate(
            [
                ("N-1", 27, MIDNIGHT),
                ("N-1", 3, MIDNIGHT + 1),
                ("N-2", 9, MIDNIGHT + 5),
                ("N-3", 9, MIDNIGHT),
                ("N-3", 10, MIDNIGHT + HOUR),
            ]
        )
        for person in range(people)
    ]
    insert_visits(client, map(document, scans))
    rows = [[venue, lat, lon, 1] for venue, (lat, lon) in venues.items()]
    client.insert("venues", rows, column_names=["venue_id", "lat", "lon", "version"])
    span = {"since": "2026-03-08 00:59:59", "until": "2026-03-08 02:30:00"}
    wide = {"since": "2026-03-08 00:00:00", "until": "2026-03-08 02:00:00"}

    def shown(view: str, extra: str = "", **given: str) -> dict[tuple[int, str], tuple[int, int]]:
        call = ", ".join(f"{name} = '{value}'" for name, value in given.items())
        columns = "hour, cell" if "hotspots" in view else "hour, ''"
        sql = f"SELECT {columns}, visits, people FROM {view}({call}{extra})"
        return {(milliseconds(hour), key): (a, b) for hour, key, a, b in client.query(sql).result_rows}

    cells = {venue: cell(*position) for venue, position in venues.items()}
    for view in ("stats_hotspots", "hotspots"):
        assert shown(view, **wide) == shown(view, **span) == tracing.by_hour(scans, cells)
    assert shown("stats_venue_timeline", venue_id="N-1", **wide) == {(MIDNIGHT, ""): (30, 20)}
    assert shown("venue_timeline", venue_id="N-3", **span) == {(MIDNIGHT + HOUR, ""): (10, 10)}
    assert shown("venue_timeline", venue_id="N-2", **span) == {}
    assert {key[0]: each for key, each in shown("hotspots", ", grid = 'h3'", **wide).items()} != {}


def test_a_rule_that_is_none_and_a_way_to_end_stays_that_is_none_are_errors_that_say_so(client: Any) -> None:
    since, until = instant(SPAN[0]), instant(SPAN[1])
    with pytest.raises(VenuecodeError, match="no such contact rule"):
        queries.contacts(client, "a" * 32, since, until, "unheard_of")
    with pytest.raises(VenuecodeError, match="dwell must be one of"):
        queries.contacts(client, "a" * 32, since, until, dwell="long")  # type: ignore[arg-type]
    question = "SELECT * FROM companions_by_cell(person_token = '', since = '2026-03-01 00:00:00', "
    with pytest.raises(VenuecodeError, match="hours_clause must be on or off"):
        asking.rows(client, question + "until = '2026-03-02 00:00:00', hours_clause = 'no')", {})
    with pytest.raises(VenuecodeError, match="companions_by_cell"):
        queries.contacts(client, "a" * 32, since, until, "cn_spacetime_companion")
