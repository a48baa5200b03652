"""Rows as scans, venues, windows and statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from producers.importers.occurrences import Occurrences
from producers.importers.places import Places
from producers.importers.reader import Limits
from producers.importers.source import Layout
from schemas.errors import ConfigurationError
from tests.support.import_files import NOW, read, token

AT = "2024-04-30T08:00:00Z"


def test_a_scan_needs_a_person_a_venue_and_a_time_and_the_rest_has_defaults() -> None:
    (scan,), rejects = read("scans", f"person,venue,at\nalice,V1,{AT}\n")
    assert (scan.person_token, scan.venue_id, scan.point_id) == (token("alice"), "V1", "main")
    assert (scan.direction, scan.channel, scan.trip, scan.gateway) == ("enter", "manual", None, "import-test")
    assert scan.scanned_at == datetime(2024, 4, 30, 8, tzinfo=UTC)
    assert not rejects


def test_every_column_of_a_scan_can_be_named_or_numbered_and_mapped() -> None:
    (scan,), _ = read(
        "scans",
        f"x;alice;Bus 7;gate 2;{AT};1;G;B7;morning;3;12\n",
        layout=Layout(with_header=False),
        columns={
            "person": "2",
            "venue": "3",
            "point": "4",
            "at": "5",
            "direction": "6",
            "channel": "7",
            "vehicle": "8",
            "run": "9",
            "carriage": "10",
            "seat": "11",
        },
        maps={"direction": {"0": "enter", "1": "leave"}, "channel": {"G": "gate"}},
    )
    assert (scan.venue_id, scan.point_id, scan.direction, scan.channel) == ("Bus 7", "gate 2", "leave", "gate")
    assert (scan.trip.vehicle, scan.trip.run, scan.trip.carriage, scan.trip.seat) == ("B7", "morning", "3", "12")


def test_our_own_exports_names_are_known_and_tokens_need_no_key() -> None:
    (scan,), _ = read(
        "scans",
        f"person_token,venue_id,scanned_at,point_id,direction\n{token('bob')},V1,{AT},north,leave\n",
        token_of=None,
    )
    assert (scan.person_token, scan.point_id, scan.direction) == (token("bob"), "north", "leave")


def test_person_ids_without_a_key_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigurationError, match="--token-key-file"):
        read("scans", f"person,venue,at\nalice,V1,{AT}\n", token_of=None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f",V1,{AT},enter", "missing_value"),
        (f"a,,{AT},enter", "missing_value"),
        ("a,V1,,enter", "unparsable_time"),
        ("a,V1,yesterday,enter", "unparsable_time"),
        (f"a,V1,{AT},IN", "unknown_value"),
        ("a,V1,2024-04-17T11:59:59Z,enter", "older_than_retention"),
        ("a,V1,2024-05-01T12:05:01Z,enter", "too_far_in_the_future"),
        ("a,V1,1969-12-31T23:59:59Z,enter", "out_of_range"),
        (f"a,{'V' * 65},{AT},enter", "out_of_range"),
    ],
)
def test_a_bad_scan_has_its_reason_and_the_next_is_taken(row: str, reason: str) -> None:
    scans, rejects = read("scans", f"person,venue,at,direction\n{row}\nok,V1,{AT},enter\n")
    assert [scan.person_token for scan in scans] == [token("ok")]
    assert rejects == {reason: 1}


def test_a_token_that_is_none_is_refused() -> None:
    _, rejects = read("scans", f"person_token,venue,at\n138 0000 0000,V1,{AT}\n")
    assert rejects == {"wrong_format": 1}


def test_an_analysis_platform_takes_old_scans_but_none_from_the_future() -> None:
    scans, rejects = read(
        "scans", "person,venue,at\na,V1,2001-01-01T00:00:00Z\na,V1,2030-01-01T00:00:00Z\n", limits=Limits(NOW, None)
    )
    assert len(scans) == 1
    assert rejects == {"too_far_in_the_future": 1}


def test_equal_rows_have_different_ids_and_the_same_ones_every_time() -> None:
    text = "person,venue,at\n" + f"a,V1,{AT}\n" * 3 + f"b,V1,{AT}\n"
    first, _ = read("scans", text)
    again, _ = read("scans", text)
    ids = [scan.scan_id for scan in first]
    assert len(set(ids)) == 4
    assert ids == [scan.scan_id for scan in again]
    assert all(
        scan.scan_id[:8] + scan.scan_id[9:13] == f"{int(first[0].scanned_at.timestamp() * 1000):012x}" for scan in first
    )


def test_an_id_does_not_depend_on_the_rows_around_it() -> None:
    whole, _ = read("scans", f"person,venue,at\nb,V1,{AT}\na,V1,{AT}\n")
    alone, _ = read("scans", f"person,venue,at\na,V1,{AT}\n")
    assert whole[1].scan_id == alone[0].scan_id


def test_occurrences_are_counted_over_many_more_rows_than_there_was_room_for() -> None:
    occurrences = Occurrences(capacity=16)
    assert occurrences.number([5, 5, 6]) == [1, 2, 1]
    assert occurrences.number(list(range(1000))) == [3 if n == 5 else 2 if n == 6 else 1 for n in range(1000)]
    assert occurrences.number([5, 999, 1000]) == [4, 2, 1]


def test_a_shift_moves_every_time_alike() -> None:
    day = timedelta(days=-1)
    (scan,), _ = read("scans", f"person,venue,at\na,V1,{AT}\n", shift=day)
    (window,), _ = read("windows", "venue,start,end\nV1,2021-01-01T00:00:00Z,2021-01-01T01:00:00Z\n", shift=day)
    assert scan.scanned_at == datetime(2024, 4, 29, 8, tzinfo=UTC)
    assert (window.starts_at, window.ends_at) == (
        datetime(2020, 12, 31, tzinfo=UTC),
        datetime(2020, 12, 31, 1, tzinfo=UTC),
    )


def test_a_missing_column_says_which_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"--venue.*The file has: who, place, at"):
        read("scans", f"who,place,at\na,V1,{AT}\n", columns={"person": "who"})


@pytest.mark.parametrize("spec", ["9", "0", "nope"])
def test_a_column_that_is_not_there_is_a_clear_error(spec: str) -> None:
    with pytest.raises(ConfigurationError, match="no such column"):
        read("scans", f"person,venue,at\na,V1,{AT}\n", columns={"person": spec})


def test_a_name_is_found_whatever_its_case_unless_two_columns_have_it() -> None:
    assert len(read("scans", f"Who,venue,at\na,V1,{AT}\n", columns={"person": "WHO"})[0]) == 1
    with pytest.raises(ConfigurationError, match="several"):
        read("scans", f"Who,who,venue,at\na,a,V1,{AT}\n", columns={"person": "WHO"})


def test_a_mapping_to_nothing_a_record_takes_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="enter, leave"):
        read("scans", f"person,venue,at,direction\na,V1,{AT},in\n", maps={"direction": {"in": "in"}})


def test_a_venue_has_one_point_and_no_area_unless_the_file_says_so() -> None:
    venues, rejects = read(
        "venues",
        "venue_id,name,kind,area_code,lat,lng,points,status,version\n"
        "V1,Cafe,food,,,,,,\nV2,Market,market,140105,37.8,112.5,n:North|s:South,closed,7\n",
        maps={"category": {"food": "cafe"}, "status": {}},
    )
    first, second = venues
    assert (first.category, first.area_code, first.lat, first.version, first.status) == (
        "cafe",
        "000000",
        None,
        1,
        "approved",
    )
    assert [(point.point_id, point.name) for point in first.points] == [("main", "Main entrance")]
    assert (second.category, second.lat, second.lon, second.version, second.status) == (
        "market",
        37.8,
        112.5,
        7,
        "closed",
    )
    assert [(point.point_id, point.name) for point in second.points] == [("n", "North"), ("s", "South")]
    assert not rejects


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Cafe,cafe,,", "missing_value"),
        ("V,,cafe,,", "missing_value"),
        ("V,Cafe,,,", "missing_value"),
        ("V,Caf?s,cafe,,", "lossy_question_mark"),
        ("V,Cafe,cafe,north,112", "bad_number"),
        ("V,Cafe,cafe,nan,112", "bad_number"),
        ("V,Cafe,cafe,37.8,", "missing_value"),
        ("V,Cafe,cafe,97.8,112", "out_of_range"),
    ],
)
def test_a_bad_venue_has_its_reason(row: str, reason: str) -> None:
    assert read("venues", f"venue_id,name,category,lat,lon\n{row}\n") == ([], {reason: 1})


def test_venues_without_a_category_take_the_default() -> None:
    (venue,), _ = read("venues", "id,name\nV,Cafe\n", default_category="cafe")
    assert venue.category == "cafe"


WINDOW = "id,venue,start,end,event\nW,V1,2021-08-12T01:00:00Z,2021-08-12T02:00:00Z,Cafe\n"


def test_a_window_keeps_its_published_id_unless_versions_are_kept_apart() -> None:
    twice = WINDOW + "W,V1,2021-08-12T01:00:00Z,2021-08-12T03:00:00Z,Cafe\n"
    assert {window.window_id for window in read("windows", twice)[0]} == {"W"}
    ids = [window.window_id for window in read("windows", twice, keep_versions=True)[0]]
    assert len(set(ids)) == 2
    assert all(found.startswith("W-") for found in ids)


def test_a_window_without_an_id_gets_one_from_its_row() -> None:
    text = "venue,start,end\nV1,2021-08-12T01:00:00Z,2021-08-12T02:00:00Z\n"
    assert read("windows", text)[0][0].window_id == read("windows", text)[0][0].window_id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("W,V1,2021-08-12T01:00:00Z,2021-08-12T01:00:00Z,x", "stay_not_positive"),
        ("W,V1,NA,NA,x", "unparsable_time"),
        ("W,,2021-08-12T01:00:00Z,2021-08-12T02:00:00Z,x", "missing_value"),
        ("W,V1,2021-08-12T01:00:00Z,2021-08-12T02:00:00Z,Te Atat? Road", "lossy_question_mark"),
    ],
)
def test_a_bad_window_has_its_reason(row: str, reason: str) -> None:
    assert read("windows", f"id,venue,start,end,event\n{row}\n") == ([], {reason: 1})


def test_a_window_finds_its_venue_by_name_and_address() -> None:
    places = Places(
        [("V1", "Pak n Save Manukau", "6 Cavendish Drive"), ("V2", "PAK'nSAVE Manukau", "6 Cavendish Drive")]
    )
    head = "location,address,start,end\n"
    span = "2021-08-12T01:00:00Z,2021-08-12T02:00:00Z"
    windows, rejects = read(
        "windows",
        f"{head}Pak n Save Manukau,6 Cavendish Drive,{span}\nPAKnSAVE Manukau,6 Cavendish Drive,{span}\n"
        f"Elsewhere,,{span}\n",
        venue_of=places.find,
    )
    assert [window.venue_id for window in windows] == ["V1", "V2"]
    assert rejects == {"unknown_place": 1}


def test_a_status_says_how_long_it_holds_by_itself_or_by_a_number_of_days() -> None:
    (status,), _ = read(
        "statuses", "person,color,valid_from,labels\nalice,R,2024-05-01T00:00:00Z,a|b;c\n",
        maps={"colour": {"R": "red"}}, valid_for=timedelta(days=2), issuer="city",
    )  # fmt: skip
    assert (status.colour, status.labels, status.issuer) == ("red", ("a", "b", "c"), "city")
    assert status.valid_until - status.valid_from == timedelta(days=2)
    assert status.version == int(status.issued_at.timestamp() * 1000)
    with pytest.raises(ConfigurationError, match="--valid-days"):
        read("statuses", "person,colour,valid_from\nalice,red,2024-05-01T00:00:00Z\n")


def test_every_column_of_a_status_is_taken() -> None:
    header = "person,colour,valid_from,valid_until,version,issuer,issued_at,reason,evidence"
    row = f"alice,yellow,{AT},2024-05-02T00:00:00Z,5,lab,2024-04-29T00:00:00Z,contact,test 7"
    (status,), _ = read("statuses", f"{header}\n{row}\n")
    assert (status.person_token, status.version, status.issuer) == (token("alice"), 5, "lab")
    assert (status.reason, status.evidence) == ("contact", "test 7")
    assert status.issued_at == datetime(2024, 4, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"a,blue,{AT},2024-05-02T00:00:00Z,", "unknown_value"),
        (f"a,,{AT},2024-05-02T00:00:00Z,", "missing_value"),
        (f"a,red,{AT},{AT},", "stay_not_positive"),
        (f"a,red,{AT},,", "unparsable_time"),
        (f"a,red,{AT},2024-05-02T00:00:00Z,1e300", "out_of_range"),
        (f"a,red,{AT},2024-05-02T00:00:00Z,-1", "out_of_range"),
    ],
)
def test_a_bad_status_has_its_reason(row: str, reason: str) -> None:
    assert read("statuses", f"person,colour,valid_from,valid_until,version\n{row}\n") == ([], {reason: 1})
