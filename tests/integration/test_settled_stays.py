"""Settled stays answer what the oracle answers about the scans that were there when they were settled."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.errors import VenuecodeError
from sinks.clickhouse import queries
from sinks.clickhouse.batch import Rows
from sinks.clickhouse.dwell import Dwell, SettledDwell
from sinks.clickhouse.read_back import note_late, stored_rows
from sinks.clickhouse.rules import ContactRule, builtin_contact_rules, read_contact_rules, store_rules
from sinks.clickhouse.settle import LATE_AFTER, settle, settled
from sinks.clickhouse.tracing import settled_chain, settled_overlaps_of_many
from tests.support import copresence_oracle as oracle
from tests.support import tracing_oracle as tracing
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_answers import as_oracle, contacts_of_many
from tests.support.copresence_cities import MIDNIGHT, MINUTE, SPAN, City, cities, clear, moments, store
from tests.support.copresence_oracle import OracleCity
from tests.support.copresence_rules import CATEGORIES, oracle_rule
from tests.support.visit_rows import insert_visits, instant, migrated_database, milliseconds, visit_document

pytestmark = pytest.mark.clickhouse

AT_ONCE = 20
EXAMPLES = int(os.environ.get("COPRESENCE_EXAMPLES", "200"))
ZONE = "America/New_York"
OWN_RULES = read_contact_rules(
    [
        "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
        "source_note,strict",
        "point_11,点,Point,point,interval,11,calendar_day,2,2,min(stay;30),,,true",
        "entry_0,入,Entry,venue_or_trip,instant,0,single_meeting,2,2,0,,,false",
    ]
)
RULES = {
    rule.rule_id: rule for rule in (*builtin_contact_rules(), *OWN_RULES) if rule.place in {"venue_or_trip", "point"}
}
QUESTIONS: list[tuple[str, SettledDwell]] = list(itertools.product(RULES, ("best", "default")))
UNTIL_NOW: dict[str, ContactRule] = {
    **{rule.rule_id: rule for rule in builtin_contact_rules() if rule.place == "venue"},
    **RULES,
}
"""Of rules about venues nothing is settled; they are asked with the others all the same."""
PERSON, OTHER = "a" * 32, "b" * 32
SINCE, UNTIL = instant(SPAN[0]), instant(SPAN[1])


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        connected.insert("city_settings", [["timezone", ZONE]], column_names=["name", "value"])
        store_rules(connected, OWN_RULES, "operator")
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
    deadline=None,
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
            found = queries.settled_contacts(client, person, begin, end, rule_id, dwell)
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
            st.sampled_from(sorted(UNTIL_NOW)),
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
    for rule_id, dwell in questions:
        found = contacts_of_many(client, people, span, rule_id, dwell)
        rule = oracle_rule(UNTIL_NOW[rule_id])
        for city in town:
            expected = oracle.contacts(as_of(city, None), city.people[0], *span, rule, dwell)
            assert found[city.people[0]] == expected, (rule_id, dwell, span, border, where, city.scans)
        alone = queries.contacts(client, people[0], begin, end, rule_id, dwell)
        assert {each.contact: as_oracle(each) for each in alone} == found[people[0]]


def enter(person: str, minutes: int, offset: int, venue: str = "V-1", **more: Any) -> dict[str, Any]:
    return visit_document(person, MIDNIGHT + minutes * MINUTE, offset, venue_id=venue, category="cafe", **more)


def together(client: Any) -> dict[str, int]:
    """Minutes that the person had in common with others."""
    return {each.contact: each.overlap_s // 60 for each in queries.settled_overlaps(client, PERSON, SINCE, UNTIL)}


def test_what_came_late_is_not_in_the_answer_until_the_next_settlement_and_then_it_is(client: Any) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    assert together(client) == {OTHER: 50}
    insert_visits(client, [enter(OTHER, 30, 3, "V-2")])  # the stay before ends here
    assert together(client) == {OTHER: 50}
    assert settled(client).late_people == 1
    done = settle(client)
    assert together(client) == {OTHER: 20}
    assert settled(client).late_people == 0
    assert settled(client).until == done.until


def test_contacts_of_what_is_settled_for_good_are_read_out_of_settled_stays_and_the_rest_out_of_scans(
    client: Any,
) -> None:
    def contacts() -> dict[str, int]:
        return {each.contact: each.overlap_s // 60 for each in queries.contacts(client, PERSON, SINCE, UNTIL)}

    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    client.command("TRUNCATE TABLE visits_by_place")
    assert contacts() == {OTHER: 50}, "nobody was looked for among the scans"
    insert_visits(client, [enter("c" * 32, 30, 3)])  # late: what is that old may be different now
    assert contacts() == {"c" * 32: 30}
    settle(client)
    assert contacts() == {OTHER: 50, "c" * 32: 30}


def test_a_settlement_writes_only_what_is_new_or_different(client: Any) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    assert settle(client, instant(MIDNIGHT + 15 * MINUTE)).stays == 2
    assert settle(client, instant(MIDNIGHT + 20 * MINUTE)).stays == 0
    client.command("TRUNCATE TABLE late_scans")
    insert_visits(client, [enter(OTHER, 30, 3, "V-2"), enter(PERSON, 25 * 60, 4)])
    client.command("TRUNCATE TABLE late_scans")  # as if they had come in time
    # The stay at V-1 ends now, and the one at V-2 begins; that of the person is what it was.
    assert settle(client, instant(MIDNIGHT + 40 * MINUTE)).stays == 2
    assert together(client) == {OTHER: 20}


def test_many_late_people_in_one_insert_are_all_settled(client: Any) -> None:
    people = [f"{number:032x}" for number in range(1, 1_200)]
    insert_visits(
        client, [enter(PERSON, 0, 0), *(enter(person, 10, offset) for offset, person in enumerate(people, 1))]
    )
    settle(client)
    assert len(together(client)) == len(people)
    insert_visits(client, [enter(person, 20, 5_000 + offset, "V-2") for offset, person in enumerate(people)])
    assert settled(client).late_people == 1  # a mark for all of them
    settle(client)
    assert together(client) == dict.fromkeys(people, 10)


def test_what_a_sink_finds_stored_after_a_doubt_is_settled_again(client: Any) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    last = enter(OTHER, 30, 3, "V-2")
    insert_visits(client, [last])
    client.command("TRUNCATE TABLE late_scans")  # the insert was cut off before it noted whose scan it was
    settle(client)
    assert together(client) == {OTHER: 50}
    rows = Rows("visits")
    rows.add([json.dumps(last).encode()], [0], [3])
    assert stored_rows(client, rows, {0}) == [True]
    note_late(client, rows, [True])
    settle(client)
    assert together(client) == {OTHER: 20}


@pytest.fixture
def cafe_minutes(client: Any) -> Iterator[Callable[[int], None]]:
    """Gives cafes another default stay; they have the shipped one again at the end."""
    columns = ["category", "name_zh", "name_en", "is_vehicle", "default_stay_minutes", "max_stay_minutes"]
    select = f"SELECT {', '.join(columns)} FROM venue_categories FINAL WHERE category = 'cafe'"
    shipped = list(client.query(select).result_rows[0])

    def change(minutes: int) -> None:
        client.insert("venue_categories", [[*shipped[:4], minutes, shipped[5]]], column_names=columns)

    yield change
    change(shipped[4])


def test_other_minutes_of_a_category_settle_everything_again(client: Any, cafe_minutes: Callable[[int], None]) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    cafe_minutes(30)
    settle(client)
    assert together(client) == {OTHER: 20}


def cut_off(done: int, _: int) -> None:
    """Progress of a settlement that is broken off with its first stays written."""
    if done:
        raise KeyboardInterrupt


def test_nothing_is_left_of_a_settlement_with_other_minutes_that_was_cut_off_before_they_were_changed_back(
    client: Any, cafe_minutes: Callable[[int], None]
) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    cafe_minutes(30)
    with pytest.raises(KeyboardInterrupt):
        settle(client, progress=cut_off)
    cafe_minutes(60)
    contacts = queries.contacts(client, PERSON, SINCE, UNTIL)
    assert [each.overlap_s // 60 for each in contacts] == [50], "worked out from scans: none of the stays is sure"
    settle(client)
    assert together(client) == {OTHER: 50}


def test_a_settlement_that_is_cut_off_counts_for_nothing_and_the_next_one_makes_it_good(client: Any) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    before = settle(client)
    insert_visits(client, [enter(OTHER, 30, 3, "V-2")])

    with pytest.raises(KeyboardInterrupt):
        settle(client, progress=cut_off)
    assert settled(client).until == before.until
    settle(client)
    assert together(client) == {OTHER: 20}


def test_nothing_is_settled_that_may_still_come_in_time(client: Any) -> None:
    now = datetime.now(UTC)
    done = settle(client, now + timedelta(days=1))
    assert done.until <= done.began_at - LATE_AFTER
    assert settle(client, now - timedelta(days=1)).until == done.until, "it never goes back"


@pytest.mark.parametrize(
    ("rule_id", "dwell", "reason"),
    [
        ("uk_nhs", "best", "this rule is about venues or cells"),
        ("cn_spacetime_companion", "best", "this rule is about venues or cells"),
        ("nobody_knows", "best", "there is no such contact rule"),
        ("who", "explicit", "settled stays end by best or default"),
    ],
)
def test_what_settled_stays_cannot_answer_is_refused_with_the_way_to_ask_it(
    client: Any, rule_id: str, dwell: Any, reason: str
) -> None:
    with pytest.raises(VenuecodeError, match=reason):
        queries.settled_contacts(client, PERSON, SINCE, UNTIL, rule_id, dwell)


@few
@given(town=towns, span=spans, rule_id=st.sampled_from(sorted(RULES)), dwell=st.sampled_from(["best", "default"]))
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
