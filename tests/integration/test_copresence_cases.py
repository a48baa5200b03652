"""The boundary cases of docs/co-presence.md, each by name and with its answer written out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sinks.clickhouse import exposure_windows, queries
from tests.support import copresence_oracle as oracle
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_oracle import OracleScan
from tests.support.visit_rows import insert_visits, instant, migrated_database, milliseconds, visit_document

pytestmark = pytest.mark.clickhouse

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)
SINCE, UNTIL = NOON - timedelta(days=5), NOON + timedelta(days=5)
A, B = "a" * 32, "b" * 32
OFFSETS = itertools.count()

Scan = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        client = target.client()
        yield client
        client.close()


@pytest.fixture
def client(database: Any) -> Any:
    for table in ("visits", "visits_by_place", "exposure_windows", "venues"):
        database.command(f"TRUNCATE TABLE {table}")
    return database


def scan(person: str, minutes: float, direction: str = "enter", **changes: Any) -> dict[str, Any]:
    """A scan some minutes after noon; a supermarket's stay is 50 minutes by default, 240 at most."""
    at = NOON + timedelta(minutes=minutes)
    return visit_document(person, milliseconds(at), next(OFFSETS), direction=direction, **changes)


def trip(run: str, vehicle: str = "bus-7") -> dict[str, Any]:
    return {"vehicle": vehicle, "run": run, "carriage": None, "seat": None}


def together(client: Any, *scans: dict[str, Any], person: str = A) -> dict[str, int]:
    """Seconds that each contact and the person were together."""
    insert_visits(client, scans)
    return {found.contact: found.overlap_s for found in queries.contacts(client, person, SINCE, UNTIL)}


def test_two_stays_at_one_venue_overlap_for_the_time_they_share(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 30, "leave"), scan(B, 10), scan(B, 60, "leave"))
    assert found == {B: 20 * 60}


def test_the_other_side_sees_the_same_overlap(client: Any) -> None:
    insert_visits(client, [scan(A, 0), scan(A, 30, "leave"), scan(B, 10), scan(B, 60, "leave")])
    (seen_by_a,) = queries.contacts(client, A, SINCE, UNTIL)
    (seen_by_b,) = queries.contacts(client, B, SINCE, UNTIL)
    assert (seen_by_a.overlap_s, seen_by_a.first_meeting) == (seen_by_b.overlap_s, seen_by_b.first_meeting)


def test_touching_stays_are_no_meeting(client: Any) -> None:
    assert together(client, scan(A, 0), scan(A, 30, "leave"), scan(B, 30), scan(B, 60, "leave")) == {}


def test_one_millisecond_of_overlap_is_a_meeting_of_zero_whole_seconds(client: Any) -> None:
    leave = scan(A, 30 + 1 / 60_000, "leave")
    assert together(client, scan(A, 0), leave, scan(B, 30), scan(B, 60, "leave")) == {B: 0}


def test_a_leave_before_the_entry_ends_nothing(client: Any) -> None:
    found = together(client, scan(A, -5, "leave"), scan(A, 0), scan(B, 0), scan(B, 10, "leave"))
    assert found == {B: 10 * 60}


def test_a_leave_at_another_venue_ends_nothing(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 5, "leave", venue_id="V-2"), scan(B, 0), scan(B, 10, "leave"))
    assert found == {B: 10 * 60}


def test_an_entry_at_the_same_place_is_a_repeat_that_ends_nothing(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 20), scan(A, 60, "leave"), scan(B, 0), scan(B, 90, "leave"))
    assert found == {B: 60 * 60}, "the twenty minutes of both stays count once"
    (meeting,) = queries.meetings(client, A, SINCE, UNTIL)
    assert meeting.overlap_ms == 60 * 60_000


def test_a_trip_boarded_again_elsewhere_goes_on_at_the_venue_of_the_first_entry(client: Any) -> None:
    insert_visits(
        client,
        [
            scan(A, 0, trip=trip("1")),
            scan(A, 10, trip=trip("1"), venue_id="V-2"),
            scan(A, 200, "leave"),
            scan(B, 150),
            scan(B, 180, "leave"),
        ],
    )
    (contact,) = queries.contacts(client, A, SINCE, UNTIL, "uk_nhs")
    assert (contact.contact, contact.overlap_s, contact.person_dwells) == (B, 30 * 60, ["explicit"])


def test_a_leave_without_any_entry_is_no_stay(client: Any) -> None:
    assert together(client, scan(A, 5, "leave"), scan(B, 0), scan(B, 10, "leave")) == {}


def test_the_next_entry_elsewhere_ends_a_stay(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 15, venue_id="V-2"), scan(B, 0), scan(B, 60, "leave"))
    assert found == {B: 15 * 60}


def test_a_next_entry_after_the_longest_stay_leaves_the_default(client: Any) -> None:
    (stay, _) = _stays(client, scan(A, 0, category="mall_supermarket"), scan(A, 24 * 60, venue_id="V-2"))
    assert stay.dwell == "default"


def test_a_venue_without_category_has_a_default_stay_of_an_hour_and_a_longest_of_four(client: Any) -> None:
    stays = _stays(
        client,
        scan(A, 0, category=None),
        scan(A, 240, category="unheard_of", venue_id="V-2"),
        scan(A, 481, category=None),
    )
    assert [((stay.left_at - stay.scanned_at).total_seconds() / 60, stay.dwell) for stay in stays] == [
        (240, "next_scan"),
        (60, "default"),
        (60, "default"),
    ]


def test_an_explicit_leave_counts_up_to_24_hours_after_the_entry(client: Any) -> None:
    (first,) = _stays(client, scan(A, 0), scan(A, 24 * 60, "leave"))
    (second,) = _stays(client, scan(B, 0), scan(B, 24 * 60 + 1 / 60_000, "leave"), person=B)
    assert (first.dwell, first.left_at - first.scanned_at) == ("explicit", timedelta(hours=24))
    assert second.dwell == "default"


def test_two_entries_in_the_same_millisecond_give_one_stay_of_length_zero_that_meets_nobody(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 0, venue_id="V-2"), scan(B, 0), scan(B, 10, "leave"))
    assert found == {}
    assert [stay.dwell for stay in queries.stays(client, A, SINCE, UNTIL)] == ["next_scan", "default"]


def test_entering_in_the_same_millisecond_is_a_meeting(client: Any) -> None:
    found = together(client, scan(A, 0), scan(A, 10, "leave"), scan(B, 0), scan(B, 10, "leave"))
    assert found == {B: 600}


def test_a_stay_over_midnight_is_one_stay(client: Any) -> None:
    found = together(
        client, scan(A, 11 * 60), scan(A, 13 * 60, "leave"), scan(B, 11.5 * 60), scan(B, 12.5 * 60, "leave")
    )
    assert found == {B: 3600}


def test_a_visit_written_twice_in_one_part_and_in_two_counts_once(client: Any) -> None:
    rows = [scan(A, 0), scan(A, 30, "leave"), scan(B, 10), scan(B, 60, "leave")]
    insert_visits(client, [*rows, *rows])
    assert together(client, *rows) == {B: 20 * 60}
    assert queries.visits_stored(client) == 4
    assert client.query("SELECT count() FROM all_visits_by_place").result_rows[0][0] == 4
    assert client.query("SELECT count() FROM visits").result_rows[0][0] == 12, "nothing was merged behind our back"


def test_a_trip_and_its_stop_are_two_places(client: Any) -> None:
    found = together(client, scan(A, 0, trip=trip("1")), scan(A, 30, "leave"), scan(B, 0), scan(B, 30, "leave"))
    assert found == {}


def test_two_runs_of_one_vehicle_are_two_places(client: Any) -> None:
    assert together(client, scan(A, 0, trip=trip("1")), scan(B, 0, trip=trip("2"))) == {}


def test_the_same_trip_boarded_at_two_venues_is_one_place(client: Any) -> None:
    found = together(
        client,
        scan(A, 0, trip=trip("1")),
        scan(A, 30, "leave"),
        scan(B, 10, trip=trip("1"), venue_id="V-2"),
        scan(B, 60, "leave", venue_id="V-2"),
    )
    assert found == {B: 20 * 60}


def test_vehicle_and_run_are_not_mixed_up(client: Any) -> None:
    assert together(client, scan(A, 0, trip=trip("1:2", "bus")), scan(B, 0, trip=trip("2", "bus:1"))) == {}


def test_a_scan_that_arrives_late_changes_the_stay_before_it(client: Any) -> None:
    assert together(client, scan(A, 0), scan(B, 20), scan(B, 60, "leave")) == {B: 30 * 60}
    assert together(client, scan(A, 25, venue_id="V-2")) == {B: 5 * 60}


def test_a_meeting_is_clipped_to_the_span_that_is_asked_for(client: Any) -> None:
    insert_visits(client, [scan(A, 0), scan(A, 60, "leave"), scan(B, 0), scan(B, 60, "leave")])
    (meeting,) = queries.meetings(client, A, NOON + timedelta(minutes=20), NOON + timedelta(minutes=30))
    assert (meeting.overlap_start, meeting.overlap_end) == (
        NOON + timedelta(minutes=20),
        NOON + timedelta(minutes=30),
    )


def test_stays_that_began_a_day_before_the_span_reach_into_it(client: Any) -> None:
    insert_visits(client, [scan(A, 0), scan(A, 24 * 60, "leave"), scan(B, 1), scan(B, 24 * 60 - 1, "leave")])
    since = NOON + timedelta(hours=23)
    (contact,) = queries.contacts(client, A, since, since + timedelta(days=1))
    assert contact.overlap_s == 59 * 60


def test_somebody_who_entered_almost_a_day_earlier_and_is_still_there_is_found(client: Any) -> None:
    day = 24 * 60
    mine = [scan(A, day + 5), scan(A, day + 10, "leave")]
    assert together(client, *mine, scan(B, 29), scan(B, day + 25, "leave")) == {B: 5 * 60}


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_two_versions_of_a_contacts_scan_the_one_processed_last_counts(client: Any, newest_first: bool) -> None:
    older = scan(B, 0, category="railway", processed_at="2026-03-07T12:00:01Z")
    newer = {**older, "category": None, "processed_at": "2026-03-07T12:00:02Z"}
    insert_visits(client, [scan(A, 0), scan(A, 600, "leave")])
    for version in (newer, older) if newest_first else (older, newer):
        insert_visits(client, [version])
    (meeting,) = queries.meetings(client, A, SINCE, UNTIL)
    assert (meeting.overlap_ms, meeting.category) == (60 * 60_000, "")


def test_each_meeting_says_what_the_ends_of_both_stays_rest_on(client: Any) -> None:
    insert_visits(client, [scan(A, 0), scan(A, 30, "leave"), scan(B, 10)])
    (meeting,) = queries.meetings(client, A, SINCE, UNTIL)
    assert (meeting.person_dwell, meeting.contact_dwell) == ("explicit", "default")


def test_a_trajectory_shows_every_scan_with_the_name_of_the_venue_and_the_end_of_the_stay(client: Any) -> None:
    client.insert("venues", [["V-1", "Market", 1]], column_names=["venue_id", "name", "version"])
    insert_visits(client, [scan(A, 0), scan(A, 30, "leave"), scan(A, 40, venue_id="V-9")])
    found = queries.trajectory(client, A, SINCE, UNTIL)
    assert [(entry.venue_name, entry.direction, entry.dwell) for entry in found] == [
        ("Market", "enter", "explicit"),
        ("Market", "leave", ""),
        ("", "enter", "default"),
    ]
    assert [entry.left_at for entry in found[:2]] == [NOON + timedelta(minutes=30), None]


def test_visitors_are_those_whose_stay_reaches_into_the_span_on_trips_as_well(client: Any) -> None:
    insert_visits(
        client,
        [scan(A, 0), scan(A, 30, "leave"), scan(B, 10, trip=trip("1")), scan("c" * 32, 40), scan("d" * 32, -60)],
    )
    found = queries.visitors(client, "V-1", NOON + timedelta(minutes=20), NOON + timedelta(minutes=35))
    assert [visitor.person_token for visitor in found] == [A, B]


def test_exposure_windows_hold_whoever_entered_strictly_inside_as_the_oracle_says(client: Any) -> None:
    noon = milliseconds(NOON)
    scans = [
        OracleScan(person, venue, None, noon + minutes * 60_000, direction, "mall_supermarket", ("t", 0, number), 0)
        for number, (person, venue, minutes, direction) in enumerate(
            itertools.product([A, B], ["V-1", "V-2"], [0, 1, 30, 59, 60], ["enter", "leave"])
        )
    ]
    documents = [
        visit_document(each.person, each.at, each.origin[2], venue_id=each.venue, direction=each.direction)
        for each in scans
    ]
    insert_visits(client, [*documents, *documents])
    windows = {
        "hour": ("V-1", noon, noon + 3_600_000),
        "Hour": ("V-2", noon, noon + 60_001),
        "month": ("V-1", noon - 86_400_000, noon + 30 * 86_400_000),
        "empty": ("V-3", noon, noon + 3_600_000),
        "backwards": ("V-1", noon + 3_600_000, noon),
    }
    columns = ["window_id", "venue_id", "starts_at", "ends_at"]
    rows = [[name, venue, instant(start), instant(end)] for name, (venue, start, end) in windows.items()]
    client.insert("exposure_windows", [*rows, *rows], column_names=columns)
    expected = oracle.in_windows(scans, windows)
    found: dict[str, dict[str, tuple[int, int, int]]] = {name: {} for name in windows}
    for visitor in exposure_windows.window_visitors(client):
        found[visitor.window_id][visitor.person_token] = (
            visitor.entries,
            milliseconds(visitor.first_entry),
            milliseconds(visitor.last_entry),
        )
    assert found == expected
    assert {count.window_id: count.people for count in exposure_windows.window_counts(client)} == {
        name: len(people) for name, people in expected.items()
    }
    assert {visitor.window_id for visitor in exposure_windows.window_visitors(client, "Hour")} == {"Hour"}


def test_every_example_for_analysts_runs_and_every_view_has_one(client: Any) -> None:
    text = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text("utf-8")
    examples = re.findall(r"```sql\n(.*?);\n```", text, re.DOTALL)
    assert len(examples) >= 8
    for example in examples:
        client.query(example)
    views = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    for (name,) in client.query(views).result_rows:
        assert re.search(rf"\b{name}\b", text), f"{name} is not in docs/analysts.md"
        if not any(re.search(rf"\b{name}\b", example) for example in examples):
            # What has no example is a list without parameters, or goes by a second name.
            client.query(f"SELECT * FROM {SAME_AS.get(name, name)} LIMIT 1")


SAME_AS = {
    "stays_to_settle": f"stays_to_settle(first_token = '{'0' * 32}', last_token = '{'f' * 32}', "
    "changed_from = '2026-03-01 00:00:00', until = '2026-03-02 00:00:00')",
    "late_stays_to_settle": "late_stays_to_settle(stored_from = '2026-03-01 00:00:00', "
    "stored_until = '2026-03-02 00:00:00', until = '2026-03-02 00:00:00')",
    "venue_timeline": "venue_timeline(venue_id = 'V-1', since = '2026-03-01 00:00:00', until = '2026-03-02 00:00:00')",
    "hotspots": "hotspots(since = '2026-03-01 00:00:00', until = '2026-03-02 00:00:00', grid = 'h3')",
}


def _stays(client: Any, *scans: dict[str, Any], person: str = A) -> list[queries.Stay]:
    insert_visits(client, scans)
    return queries.stays(client, person, SINCE, UNTIL)
