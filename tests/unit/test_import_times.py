"""Times as files write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from producers.importers.row import RowRejected
from producers.importers.times import Ambiguous, TimeReader, zone
from schemas.errors import ConfigurationError

AUCKLAND = zone("Pacific/Auckland")
MOMENT = datetime(2021, 8, 12, 1, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("auto", "2021-08-12T13:45:00+12:00"),
        ("auto", "2021-08-12T01:45:00Z"),
        ("auto", " 2021-08-12 13:45 "),
        ("auto", "1628732700"),
        ("auto", "1628732700000"),
        ("auto", "1628732700.000"),
        ("iso", "20210812T134500"),
        ("epoch-s", "1628732700"),
        ("epoch-ms", "1628732700000"),
        ("%d/%m/%Y, %I:%M %p", "12/08/2021, 1:45 pm"),
        ("%Y-%m-%d %H:%M %z", "2021-08-12 09:45 +0800"),
    ],
)
def test_the_same_moment_is_read_from_every_form(form: str, text: str) -> None:
    assert TimeReader(form, AUCKLAND).read(text) == MOMENT


def test_milliseconds_are_kept_and_finer_parts_dropped() -> None:
    reader = TimeReader("auto", AUCKLAND)
    assert reader.read("2021-08-12T01:45:00.123999Z").microsecond == 123_000
    assert reader.read("1628732700123").microsecond == 123_000
    assert reader.read("1628732700.123").microsecond == 123_000


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("auto", ""),
        ("auto", "NA"),
        ("auto", "2021-08-12"),
        ("auto", "nan"),
        ("auto", "1e400"),
        ("auto", "99999999999999999"),
        ("auto", "2021-13-01T00:00:00Z"),
        ("iso", "1628732700"),
        ("epoch-s", "2021-08-12T01:45:00Z"),
        ("%d/%m/%Y", "2021-08-12"),
        ("auto", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_what_is_no_time_is_refused(form: str, text: str) -> None:
    with pytest.raises(RowRejected, match="unparsable_time"):
        TimeReader(form, AUCKLAND).read(text)


def test_a_local_time_that_clocks_skipped_is_refused() -> None:
    with pytest.raises(RowRejected, match="nonexistent_time"):
        TimeReader("auto", AUCKLAND).read("2021-09-26T02:30:00")


@pytest.mark.parametrize(
    ("which", "hour"),
    [("first", 13), ("second", 14)],
)
def test_a_local_time_shown_twice_is_the_first_unless_told(which: Ambiguous, hour: int) -> None:
    found = TimeReader("auto", AUCKLAND, which).read("2022-04-03T02:30:00")
    assert found == datetime(2022, 4, 2, hour, 30, tzinfo=UTC)


def test_a_local_time_shown_twice_can_be_refused() -> None:
    with pytest.raises(RowRejected, match="ambiguous_time"):
        TimeReader("auto", AUCKLAND, "reject").read("2022-04-03T02:30:00")


def test_an_offset_settles_what_a_local_time_leaves_open() -> None:
    found = TimeReader("auto", AUCKLAND, "reject").read("2022-04-03T02:30:00+13:00")
    assert found == datetime(2022, 4, 2, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "../etc/passwd"])
def test_an_unknown_zone_is_a_clear_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match="time zone"):
        zone(name)


def test_an_unknown_format_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="time format"):
        TimeReader("yyyy-mm-dd", AUCKLAND)
