"""Settled stays answer what the oracle answers about the scans that were there when they were settled."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sinks.clickhouse import companions, exposure_windows, queries
from sinks.clickhouse.dwell import Dwell, SettledDwell
from sinks.clickhouse.rules import ContactRule, builtin_contact_rules, read_contact_rules, store_rules
from sinks.clickhouse.settle import settle
from sinks.clickhouse.tracing import (
    settled_chain,
    settled_chain_size,
    settled_overlaps_of_many,
    settled_rule_comparison,
)
from tests.support import copresence_oracle as oracle
from tests.support import tracing_oracle as tracing
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_answers import as_oracle, contacts_of_many
from tests.support.copresence_cities import SPAN, City, cities, clear, moments, publish, store
from tests.support.copresence_oracle import OracleCity
from tests.support.copresence_rules import CATEGORIES, oracle_rule
from tests.support.visit_rows import instant, migrated_database, milliseconds

pytestmark = pytest.mark.clickhouse

AT_ONCE = 40
EXAMPLES = int(os.environ.get("COPRESENCE_EXAMPLES", "200"))
ZONE = "America/New_York"
OWN_RULES = read_contact_rules(
    [
        "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
        "source_note,strict",
        "point_11,点,Point,point,interval,11,calendar_day,2,2,min(stay;30),,,true",
        "entry_0,入,Entry,venue_or_trip,instant,0,single_meeting,2,2,0,,,false",
        "venue_20,场所,Venue,venue,interval,20,rolling_24h,2,2,min(stay;90),,,false",
        "cell_11,格,Cell,cell_800m,interval,11,calendar_day,2,2,min(stay;30),,,true",
        "cell_entry,格入,Cell entry,cell_800m,instant,0,rolling_24h,2,2,0,,,false",
    ]
)
RULES = {rule.rule_id: rule for rule in (*builtin_contact_rules(), *OWN_RULES) if rule.place != "cell_800m"}
CHAINED = {rule_id: rule for rule_id, rule in RULES.items() if rule.place != "venue"}
"""About venues alone there is a view for contacts, and none for theirs."""
QUESTIONS: list[tuple[str, SettledDwell]] = list(itertools.product(RULES, ("best", "default")))
CELLS = {
    rule.rule_id: replace(rule, companion_hours=1, companion_days=1)
    for rule in (*builtin_contact_rules(), *OWN_RULES)
    if rule.place == "cell_800m"
}
"""With a clause of one hour in a day: people of a town are hardly longer in a cell."""
AT_ALL_IN_A_CELL = replace(CELLS["cell_11"], min_minutes=0, strict=False, indirect_tail="0")


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        connected.insert("city_settings", [["timezone", ZONE]], column_names=["name", "value"])
        store_rules(connected, [*OWN_RULES, *CELLS.values()], "operator")
        yield connected
        connected.close()


@pytest.fixture
def client(database: Any) -> Any:
    clear(database)
    return database


spans = st.one_of(st.just(SPAN), st.tuples(moments, moments).filter(lambda span: span[0] < span[1]))
towns = st.lists(cities(), min_size=AT_ONCE, max_size=AT_ONCE)
examples = settings(
    max_examples=EXAMPLES // AT_ONCE,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
few = settings(examples, max_examples=max(EXAMPLES // AT_ONCE // 4, 1))
asked = st.lists(st.sampled_from(QUESTIONS), min_size=2, max_size=2, unique=True)


def as_of(city: City, until: int | None) -> OracleCity:
    """What the oracle is told: the scans that were settled."""
    scans = tuple(scan for scan in city.scans if until is None or scan.at < until)
    return OracleCity(scans, CATEGORIES, city.positions, ZONE)


def split(town: list[City], where: int) -> tuple[list[City], list[City]]:
    """The same cities, some of their scans in each."""
    return (
        [replace(city, scans=city.scans[:where]) for city in town],
        [replace(city, scans=city.scans[where:]) for city in town],
    )


@examples
@given(
    town=towns,
    span=spans,
    questions=asked,
    where=st.integers(0, 14),
    first=st.none() | moments,
    last=st.none() | moments,
)
def test_answers_equal_the_oracle_as_of_the_settlement_however_scans_came_in(
    client: Any,
    town: list[City],
    span: tuple[int, int],
    questions: list[tuple[str, SettledDwell]],
    where: int,
    first: int | None,
    last: int | None,
) -> None:
    clear(client)
    before, after = split(town, where)
    store(client, before)
    settle(client, None if first is None else instant(first))
    store(client, after)  # late, every one of them
    settle(client, None if last is None else instant(last))
    until = None if first is None or last is None else max(first, last)
    begin, end = instant(span[0]), instant(span[1])
    for city in town[:1]:
        person, known = city.people[0], as_of(city, until)
        for rule_id, dwell in questions:
            ask = queries.settled_contacts if rule_id in CHAINED else queries.settled_contacts_by_venue
            found = ask(client, person, begin, end, rule_id, dwell)
            assert {each.contact: as_oracle(each) for each in found} == oracle.contacts(
                known, person, *span, oracle_rule(RULES[rule_id]), dwell
            ), (rule_id, dwell, span, until, city.scans)
    for dwell in ("best", "default"):
        expected = {
            (city.people[0], contact): (each.overlap_s, each.first_meeting)
            for city in town
            for contact, each in oracle.contacts(
                as_of(city, until), city.people[0], *span, oracle_rule(RULES["any_overlap"]), dwell
            ).items()
        }
        people = [city.people[0] for city in town]
        assert {
            (each.person, each.contact): (each.overlap_s, milliseconds(each.first_meeting))
            for each in settled_overlaps_of_many(client, people, begin, end, dwell)
        } == expected
        person = people[0]
        assert {
            (person, each.contact): (each.overlap_s, milliseconds(each.first_meeting))
            for each in queries.settled_overlaps(client, person, begin, end, dwell)
        } == {pair: each for pair, each in expected.items() if pair[0] == person}
        assert sorted(
            (milliseconds(stay.scanned_at), milliseconds(stay.left_at), stay.dwell, stay.venue_id)
            for stay in queries.settled_trajectory(client, person, begin, end, dwell)
        ) == sorted(
            (stay.start, stay.end, stay.dwell, stay.scan.venue)
            for stay in oracle.stays(as_of(town[0], until), dwell)
            if stay.scan.person == person and span[0] <= stay.start < span[1]
        )


@examples
@given(town=towns, span=spans, border=moments, dwell=st.sampled_from(["best", "default"]))
def test_scans_that_come_in_time_end_stays_that_were_settled_before(
    client: Any, town: list[City], span: tuple[int, int], border: int, dwell: SettledDwell
) -> None:
    clear(client)
    for before in (True, False):
        store(
            client,
            [replace(city, scans=tuple(scan for scan in city.scans if (scan.at < border) == before)) for city in town],
        )
        client.command("TRUNCATE TABLE late_scans")  # as if each had been stored when it was made
        settle(client, instant(border) if before else None)
    people = [city.people[0] for city in town]
    found = settled_overlaps_of_many(client, people, instant(span[0]), instant(span[1]), dwell)
    assert {(each.person, each.contact): each.overlap_s for each in found} == {
        (city.people[0], contact): each.overlap_s
        for city in town
        for contact, each in oracle.contacts(
            as_of(city, None), city.people[0], *span, oracle_rule(RULES["any_overlap"]), dwell
        ).items()
    }


@examples
@given(
    town=towns,
    span=spans,
    questions=st.lists(
        st.tuples(
            st.sampled_from(sorted(RULES)),
            st.sampled_from(["best", "best", "default", "explicit", "next_scan", "none"]),
        ),
        min_size=2,
        max_size=2,
    ),
    border=moments,
    where=st.integers(0, 14) | st.none(),
)
def test_contacts_equal_the_oracle_to_the_second_however_much_is_settled_and_whatever_came_since(
    client: Any,
    town: list[City],
    span: tuple[int, int],
    questions: list[tuple[str, Dwell]],
    border: int,
    where: int | None,
) -> None:
    clear(client)
    if where is None:
        before, after = (
            [replace(city, scans=tuple(scan for scan in city.scans if (scan.at < border) == early)) for city in town]
            for early in (True, False)
        )
    else:
        before, after = split(town, where)
    store(client, before)
    settle(client, instant(border))
    store(client, after)
    if where is None:
        client.command("TRUNCATE TABLE late_scans")  # as if each had been stored when it was made
    begin, end = instant(span[0]), instant(span[1])
    people = [city.people[0] for city in town]
    # The last one is what most questions are, and what of a settled stay may still change.
    for rule_id, dwell in [*questions, ("any_overlap", "best")]:
        found = contacts_of_many(client, people, span, rule_id, dwell)
        rule = oracle_rule(RULES[rule_id])
        for city in town:
            expected = oracle.contacts(as_of(city, None), city.people[0], *span, rule, dwell)
            assert found[city.people[0]] == expected, (rule_id, dwell, span, border, where, city.scans)
        alone = queries.contacts(client, people[0], begin, end, rule_id, dwell)
        assert {each.contact: as_oracle(each) for each in alone} == found[people[0]]


@few
@given(
    town=towns,
    asked=st.tuples(st.sampled_from(sorted(RULES.keys() - CHAINED.keys())), st.sampled_from(["best", "default"])),
    until=st.none() | moments,
)
def test_contacts_under_rules_about_venues_alone_equal_the_oracle_whoever_boarded_there(
    client: Any, town: list[City], asked: tuple[str, SettledDwell], until: int | None
) -> None:
    clear(client)
    store(client, town)
    settle(client, None if until is None else instant(until))
    rule_id, dwell = asked
    begin, end = instant(SPAN[0]), instant(SPAN[1])
    for city in town:
        person = city.people[0]
        found = queries.settled_contacts_by_venue(client, person, begin, end, rule_id, dwell)
        assert {each.contact: as_oracle(each) for each in found} == oracle.contacts(
            as_of(city, until), person, *SPAN, oracle_rule(RULES[rule_id]), dwell
        ), (rule_id, dwell, until, city.scans)


@few
@given(town=towns, span=spans, rule_id=st.sampled_from(sorted(CHAINED)), dwell=st.sampled_from(["best", "default"]))
def test_contacts_of_contacts_equal_the_oracle(
    client: Any, town: list[City], span: tuple[int, int], rule_id: str, dwell: SettledDwell
) -> None:
    clear(client)
    store(client, town)
    settle(client)
    for city, asked_rule in zip(town, (rule_id, *["any_overlap"] * 3), strict=False):
        found = settled_chain(client, city.people[0], instant(span[0]), instant(span[1]), asked_rule, dwell)
        links = tracing.chain(as_of(city, None), city.people[0], *span, oracle_rule(RULES[asked_rule]), dwell, {}, {})
        first_met: dict[tuple[int, str], int] = {}
        for link in links:
            key = link.degree, link.contact
            first_met[key] = min(first_met.get(key, link.first_meeting), link.first_meeting)
        assert {(each.degree, each.contact): milliseconds(each.first_meeting) for each in found} == first_met, (
            asked_rule,
            dwell,
            span,
            city.scans,
        )
        size = settled_chain_size(client, city.people[0], instant(span[0]), instant(span[1]), asked_rule, dwell)
        assert (size.people, size.exact) == (len({each.contact for each in found}), True)


@few
@given(
    town=towns,
    span=spans,
    asked=st.tuples(st.sampled_from(sorted(CELLS)), st.sampled_from(["best", "default"])),
    until=st.none() | moments,
)
def test_companions_in_cells_equal_the_oracle_with_and_without_the_clause_of_hours(
    client: Any, town: list[City], span: tuple[int, int], asked: tuple[str, SettledDwell], until: int | None
) -> None:
    clear(client)
    store(client, town)
    settle(client, None if until is None else instant(until))
    rule_id, dwell = asked
    rule = oracle_rule(CELLS[rule_id])
    begin, end = instant(span[0]), instant(span[1])
    for city in town[:5]:
        person, known = city.people[0], as_of(city, until)
        found = companions.settled_companions(client, person, begin, end, rule_id, dwell)
        assert {each.contact: as_oracle(each) for each in found} == oracle.contacts(
            known, person, *span, rule, dwell
        ), (
            rule_id,
            dwell,
            span,
            until,
            city.scans,
        )
        for each in found:
            assert each.cells == sorted({oracle.cell(*city.positions[venue]) for venue in each.venues})
    for city in town[:2]:
        person, known = city.people[0], as_of(city, until)
        found = companions.settled_companions(client, person, begin, end, rule_id, dwell, hours_clause=True)
        assert {each.contact: as_oracle(each) for each in found} == tracing.companions(
            known, person, *span, rule, dwell, hours=1, days=1
        ), (rule_id, dwell, span, until, city.scans)


@few
@given(town=towns, span=spans, dwell=st.sampled_from(["best", "default"]), until=st.none() | moments)
def test_who_was_in_the_same_cells_at_all_equals_the_oracle(
    client: Any, town: list[City], span: tuple[int, int], dwell: SettledDwell, until: int | None
) -> None:
    clear(client)
    store(client, town)
    settle(client, None if until is None else instant(until))
    for city in town[:8]:
        person, known = city.people[0], as_of(city, until)
        found = companions.settled_overlaps_in_cells(client, person, instant(span[0]), instant(span[1]), dwell)
        expected = oracle.contacts(known, person, *span, oracle_rule(AT_ALL_IN_A_CELL), dwell)
        assert {each.contact: (each.overlap_s, milliseconds(each.first_meeting), each.venues) for each in found} == {
            contact: (each.overlap_s, each.first_meeting, list(each.venues)) for contact, each in expected.items()
        }, (dwell, span, until, city.scans)
        for each in found:
            assert each.cells == sorted({oracle.cell(*city.positions[venue]) for venue in each.venues})


@few
@given(
    town=towns,
    span=spans,
    anchor=moments,
    dwell=st.sampled_from(["best", "default"]),
    until=st.none() | moments,
)
def test_one_case_under_all_rules_equals_the_oracle_with_each_rules_own_span(
    client: Any, town: list[City], span: tuple[int, int], anchor: int, dwell: SettledDwell, until: int | None
) -> None:
    clear(client)
    store(client, town)
    settle(client, None if until is None else instant(until))
    rules = {
        rule.rule_id: (oracle_rule(rule), int(rule.lookback_days), lookahead(rule))
        for rule in (*RULES.values(), *CELLS.values())
        if rule.lookback_days != "from_first_meeting"
    }
    for city in town[:3]:
        person, known = city.people[0], as_of(city, until)
        found: dict[str, dict[str, oracle.OracleContact]] = {}
        for row in settled_rule_comparison(client, person, instant(anchor), instant(span[0]), instant(span[1]), dwell):
            found.setdefault(row.rule_id, {})[row.contact] = as_oracle(row)
        assert found == tracing.compared(known, person, anchor, span, rules, dwell), (anchor, span, until, city.scans)


@few
@given(
    town=towns,
    asked=st.tuples(st.sampled_from(sorted(RULES)), st.sampled_from(["best", "default"])),
    published=st.lists(st.tuples(st.integers(0, 3), moments, moments), min_size=3, max_size=6),
    until=st.none() | moments,
)
def test_windows_equal_the_oracle_with_and_without_a_rule_one_or_all_at_once(
    client: Any,
    town: list[City],
    asked: tuple[str, SettledDwell],
    published: list[tuple[int, int, int]],
    until: int | None,
) -> None:
    clear(client)
    store(client, town)
    settle(client, None if until is None else instant(until))
    windows = publish(client, town, published)
    rule_id, dwell = asked
    expected: dict[tuple[str, str], int] = {}
    entries: dict[tuple[str, str], tuple[int, int, int]] = {}
    for city in town:
        known = as_of(city, until)
        mine = {name: window for name, window in windows.items() if name.startswith(f"{city.number}-")}
        expected |= tracing.exposed(known, mine, oracle_rule(RULES[rule_id]), dwell)
        for name, people in oracle.in_windows(known.scans, mine).items():
            entries |= {(name, person): each for person, each in people.items()}
    found = exposure_windows.settled_exposed_under_rule(client, rule_id, dwell)
    assert {(row.window_id, row.person_token): row.counted_s for row in found} == {
        key: length // 1000 for key, length in expected.items()
    }, (rule_id, dwell, until)
    entered = exposure_windows.settled_window_visitors(client)
    assert {
        (row.window_id, row.person_token): (row.entries, milliseconds(row.first_entry), milliseconds(row.last_entry))
        for row in entered
    } == entries
    assert exposure_windows.settled_exposed_size(client, rule_id, dwell).people == len(
        {row.person_token for row in found}
    )
    assert exposure_windows.settled_exposed_size(client).people == len({row.person_token for row in entered})
    for window_id in sorted(windows)[:3]:
        one = exposure_windows.settled_exposed_under_rule(client, rule_id, dwell, window_id)
        assert one == [row for row in found if row.window_id == window_id]
        assert exposure_windows.settled_exposed_size(client, rule_id, dwell, window_id).people == len(one)
        came_in = [row for row in entered if row.window_id == window_id]
        assert exposure_windows.settled_window_visitors(client, window_id) == came_in
        assert exposure_windows.settled_exposed_size(client, window_id=window_id).people == len(came_in)
    stayed = [(row.window_id, row.times) for row in found]
    came = [(row.window_id, row.entries) for row in entered]
    for counts, rows in (
        (exposure_windows.settled_exposed_counts(client, rule_id, dwell), stayed),
        (exposure_windows.settled_window_counts(client), came),
    ):
        assert {row.window_id: (row.people, row.entries) for row in counts} == {
            name: (len(times), sum(times))
            for name in windows
            for times in [[number for window_id, number in rows if window_id == name]]
        }


def lookahead(rule: ContactRule) -> int | None:
    """In days; none: until isolation."""
    return None if rule.lookahead_days == "until_isolated" else int(rule.lookahead_days)
