"""What `venuecode simulate` makes of its options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from infra.cli.simulate_options import Plan, check_start, make_plan, parse_duration, parse_pacing, parse_start
from schemas.errors import ConfigurationError

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 2, 15, 30, 500_000, UTC)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5d", 129_600)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "0h", "2 h", "two hours"])
def test_a_wrong_duration_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="2h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "2026-11-22T06:30:00+08:00"),
        ("now", "2026-11-23T02:15:30+00:00"),
        ("-26h", "2026-11-22T00:15:30+00:00"),
        ("2026-11-20T06:30:00", "2026-11-20T06:30:00+08:00"),
        ("2026-11-20T06:30:00Z", "2026-11-20T06:30:00+00:00"),
    ],
)
def test_starts(text: str | None, expected: str) -> None:
    assert parse_start(text, NOW, ZONE) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["yesterday", "-26", "26h", "2026-13-01"])
def test_a_wrong_start_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_start(text, NOW, ZONE)


def test_a_start_that_the_platform_would_not_take_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ahead"):
        check_start(NOW + timedelta(seconds=1), NOW, 14)
    with pytest.raises(ConfigurationError, match="14 days"):
        check_start(NOW - timedelta(days=14), NOW, 14)
    check_start(NOW - timedelta(days=400), NOW, None)
    check_start(NOW - timedelta(days=13), NOW, 14)


def test_paces() -> None:
    assert parse_pacing(None, None, live=True).speed == 60.0
    assert parse_pacing(None, None, live=False).speed is None
    assert parse_pacing(None, "5000", live=True).rate == 5_000
    fastest = parse_pacing(None, "max", live=True)
    assert (fastest.speed, fastest.rate, fastest.from_the_future) == (None, None, False)
    for speed, rate in ((60.0, "max"), (None, "fast"), (None, "0"), (0.0, None)):
        with pytest.raises(ConfigurationError):
            parse_pacing(speed, rate, live=True)


def live_plan(start: datetime, seconds: float | None) -> Plan:
    pacing = parse_pacing(60.0, None, live=True)
    return make_plan(start, NOW, pacing, ZONE, duration=None, seconds=seconds, cases=None, scans=None)


def file_plan(duration: float | None = None, cases: int | None = None, scans: int | None = None) -> Plan:
    pacing = parse_pacing(None, None, live=False)
    return make_plan(NOW, NOW, pacing, ZONE, duration=duration, seconds=None, cases=cases, scans=scans)


def test_a_run_of_known_length_has_one_case_and_an_endless_one_many() -> None:
    short = live_plan(NOW - timedelta(days=1), 60)
    assert short.seconds == 3600
    assert len(list(short.spans)) == 1
    endless = live_plan(NOW - timedelta(days=1), None)
    assert endless.end_ms is None
    assert len(list(islice(endless.spans, 50))) == 50


def test_a_run_that_catches_up_with_the_clock_is_planned_for_what_really_passes() -> None:
    assert live_plan(NOW - timedelta(minutes=10), 60).seconds == 660


def test_files_end_after_two_hours_or_so_many_scans() -> None:
    assert file_plan().seconds == 7200
    assert file_plan(cases=0, scans=1_000).end_ms is None


def test_many_cases_get_venues_of_their_own() -> None:
    found = file_plan(duration=7200, cases=9)
    assert found.planted_sets == 9
    assert len(list(found.spans)) == 9
