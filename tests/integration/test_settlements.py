"""Settlements: what one writes, what the next one makes good, and what settled stays refuse to answer."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from schemas.errors import VenuecodeError
from sinks.clickhouse import companions, queries
from sinks.clickhouse.batch import Rows
from sinks.clickhouse.read_back import note_late, stored_rows
from sinks.clickhouse.settle import LATE_AFTER, settle, settled
from sinks.clickhouse.tracing import settled_rule_comparison
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import MIDNIGHT, MINUTE, SPAN, clear
from tests.support.visit_rows import insert_visits, instant, migrated_database, visit_document

pytestmark = pytest.mark.clickhouse

PERSON, OTHER = "a" * 32, "b" * 32
SINCE, UNTIL = instant(SPAN[0]), instant(SPAN[1])


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        yield connected
        connected.close()


@pytest.fixture
def client(database: Any) -> Any:
    clear(database)
    return database


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


def contacts(client: Any) -> dict[str, int]:
    """Minutes that the person had in common with others, by every scan stored."""
    return {each.contact: each.overlap_s // 60 for each in queries.contacts(client, PERSON, SINCE, UNTIL)}


def test_contacts_are_read_out_of_settled_stays_but_those_who_came_since_out_of_scans(client: Any) -> None:
    insert_visits(client, [enter(PERSON, 0, 1), enter(OTHER, 10, 2)])
    settle(client)
    client.command("TRUNCATE TABLE visits_by_place")
    assert contacts(client) == {OTHER: 50}, "nobody was looked for among the scans"
    insert_visits(client, [enter("c" * 32, 30, 3)])
    assert contacts(client) == {OTHER: 50, "c" * 32: 30}


SINCE_THEN: dict[str, tuple[list[tuple[str, int, str, str]], int]] = {
    "nothing": ([], 50),
    "the other left": ([("other", 40, "V-1", "leave")], 30),
    "the other went elsewhere": ([("other", 45, "V-2", "enter")], 35),
    "the other came again": ([("other", 45, "V-1", "enter")], 50),
    "the other left another venue": ([("other", 40, "V-2", "leave")], 50),
    "the other went elsewhere after longer than anybody stays": ([("other", 900, "V-2", "enter")], 50),
    "the other left a day later": ([("other", 1500, "V-1", "leave")], 50),
    "the other left after they went elsewhere": ([("other", 40, "V-2", "enter"), ("other", 50, "V-1", "leave")], 30),
    "the person left": ([("person", 40, "V-1", "leave")], 30),
    "the person went elsewhere": ([("person", 40, "V-2", "enter")], 30),
}
"""Scans (who, minute, venue, direction) since a person came in minute 0, another in 10, and minutes together then."""


@pytest.mark.parametrize("settled_at", [11, 39])
@pytest.mark.parametrize("midnight", [-60, 15, 30])
def test_a_scan_made_after_the_settlement_ends_a_stay_that_was_settled_to_its_default(
    client: Any, settled_at: int, midnight: int
) -> None:
    first: list[dict[str, Any]] = []
    since: list[dict[str, Any]] = []
    for number, (scans, _) in enumerate(SINCE_THEN.values()):
        who = {"person": f"{number:032x}", "other": f"{number + 100:032x}"}
        venues = {name: f"{name}-{number}" for name in ("V-1", "V-2")}
        offsets = itertools.count(number * 10)
        came = [("person", 0, "V-1", "enter"), ("other", 10, "V-1", "enter")]
        for rows, made in ((first, came), (since, scans)):
            rows.extend(
                enter(who[name], minute - midnight, next(offsets), venues[venue], direction=direction)
                for name, minute, venue, direction in made
            )
    insert_visits(client, first)
    settle(client, instant(MIDNIGHT + (settled_at - midnight) * MINUTE))
    insert_visits(client, since)
    client.command("TRUNCATE TABLE late_scans")  # as if each had been stored when it was made
    people = [f"{number:032x}" for number in range(len(SINCE_THEN))]
    found = queries.contacts_of_many(client, people, SINCE, UNTIL)
    expected = {name: minutes for name, (_, minutes) in SINCE_THEN.items()}
    assert {list(SINCE_THEN)[int(each.person, 16)]: each.overlap_s // 60 for each in found} == expected
    for person, name in list(zip(people, SINCE_THEN, strict=True))[1:3]:
        alone = queries.contacts(client, person, SINCE, UNTIL)
        assert [each.overlap_s // 60 for each in alone] == [expected[name]], name


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


def test_who_boards_a_vehicle_at_a_venue_is_met_there_under_rules_about_venues_alone(client: Any) -> None:
    trips = {"staying": None, "boarding": ("bus-7", "1"), "elsewhere": ("bus-8", "1"), "later": ("bus-7", "2")}
    people = {name: f"{number:032x}" for number, name in enumerate(trips, 1)}
    minutes = {"staying": 0, "boarding": 1, "elsewhere": 2, "later": 600}
    insert_visits(
        client,
        (
            visit_document(
                people[name],
                MIDNIGHT + minutes[name] * MINUTE,
                offset,
                trip=trip and {"vehicle": trip[0], "run": trip[1], "carriage": None, "seat": None},
            )
            for offset, (name, trip) in enumerate(trips.items())
        ),
    )
    settle(client)
    together = {people[name] for name in ("staying", "boarding", "elsewhere")}
    for person in together:
        found = queries.settled_contacts_by_venue(client, person, SINCE, UNTIL)
        assert {each.contact for each in found} == together - {person}
        assert queries.settled_contacts(client, person, SINCE, UNTIL) == []
        all_rules = settled_rule_comparison(client, person, UNTIL, SINCE, UNTIL)
        assert {each.contact for each in all_rules if each.rule_id == "uk_nhs"} == together - {person}
    assert queries.settled_contacts_by_venue(client, people["later"], SINCE, UNTIL) == []


NOT_OF_TRIPS = "ask settled_contacts_by_venue or settled_companions_by_cell"
NO_RULE, OTHER_DWELL = "there is no such contact rule", "settled stays end by best or default"
WITH_HOURS = partial(companions.settled_companions, hours_clause=True)


def test_who_was_in_the_same_cells_is_refused_by_other_ends_of_stays(client: Any) -> None:
    with pytest.raises(VenuecodeError, match=f"{OTHER_DWELL}; ask companions_by_cell for other ways"):
        companions.settled_overlaps_in_cells(client, PERSON, SINCE, UNTIL, "explicit")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ask", "rule_id", "dwell", "reason"),
    [
        (queries.settled_contacts, "uk_nhs", "best", NOT_OF_TRIPS),
        (queries.settled_contacts, "cn_spacetime_companion", "best", NOT_OF_TRIPS),
        (queries.settled_contacts, "nobody_knows", "best", NO_RULE),
        (queries.settled_contacts, "who", "explicit", OTHER_DWELL),
        (
            queries.settled_contacts_by_venue,
            "who",
            "best",
            "this rule is not about venues alone: ask settled_contacts_of",
        ),
        (queries.settled_contacts_by_venue, "nobody_knows", "best", NO_RULE),
        (queries.settled_contacts_by_venue, "nz_window", "explicit", OTHER_DWELL),
        (companions.settled_companions, "who", "best", "this rule is not about cells"),
        (companions.settled_companions, "nobody_knows", "best", NO_RULE),
        (companions.settled_companions, "cn_spacetime_companion", "explicit", OTHER_DWELL),
        (WITH_HOURS, "who", "best", "this rule is not about cells"),
        (WITH_HOURS, "nobody_knows", "best", NO_RULE),
        (WITH_HOURS, "cn_spacetime_companion", "explicit", OTHER_DWELL),
    ],
)
def test_what_settled_stays_cannot_answer_is_refused_with_the_way_to_ask_it(
    client: Any, ask: Callable[..., object], rule_id: str, dwell: str, reason: str
) -> None:
    with pytest.raises(VenuecodeError, match=reason):
        ask(client, PERSON, SINCE, UNTIL, rule_id, dwell)
