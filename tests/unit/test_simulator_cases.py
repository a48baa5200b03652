"""Planted cases: the truth, against a brute force over the scans that were sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from producers.simulator import Case, cases_forever, cases_within, plan_case
from producers.simulator.cases import INDEX
from schemas.errors import ConfigurationError
from schemas.fast import epoch_ms
from schemas.health import HealthStatus
from schemas.scan import Scan
from tests.support.simulated import START_MS, make_batches, make_cases, make_city, scans_of

HOUR = 3600.0
CITY = make_city()
CASES = make_cases(CITY, HOUR, 3)
BATCHES = make_batches(CITY, HOUR, 3)
SCANS = scans_of(BATCHES)
PLANTED = {case.token(row) for case in CASES for row in range(len(case.tokens))}


@dataclass(frozen=True, slots=True)
class Stay:
    """Brute force's idea of a stay: an entry and the first leave after it at that place."""

    place: tuple[str, Any]
    begin: int
    end: int


def stays_in(scans: Iterable[Scan]) -> dict[str, list[Stay]]:
    open_entries: dict[str, tuple[tuple[str, Any], int]] = {}
    found: dict[str, list[Stay]] = defaultdict(list)
    for scan in scans:
        place = (scan.venue_id, scan.trip and (scan.trip.vehicle, scan.trip.run))
        if scan.direction == "enter":
            open_entries[scan.person_token] = (place, epoch_ms(scan.scanned_at))
        else:
            entered_at, begin = open_entries.pop(scan.person_token)
            assert entered_at == place
            found[scan.person_token].append(Stay(place, begin, epoch_ms(scan.scanned_at)))
    return found


def meetings_of(index: str, stays: dict[str, list[Stay]]) -> set[tuple[str, str, int, int]]:
    return {
        (person, mine.place[0], max(mine.begin, theirs.begin), min(mine.end, theirs.end))
        for mine in stays[index]
        for person, others in stays.items()
        for theirs in others
        if person != index and mine.place == theirs.place and max(mine.begin, theirs.begin) < min(mine.end, theirs.end)
    }


def truth_of(case: Case) -> set[tuple[str, str, int, int]]:
    return {(m.contact, m.venue_id, m.start_ms, m.end_ms) for m in case.meetings(CITY.venue_table, CITY.zone)}


def planted_scans(case: Case, scans: list[Scan]) -> list[Scan]:
    tokens = {case.token(row) for row in range(len(case.tokens))}
    return [scan for scan in scans if scan.person_token in tokens and epoch_ms(scan.scanned_at) < case.span.red_ms]


def test_the_truth_is_what_brute_force_finds_in_the_scans() -> None:
    everybody = stays_in(scan for case in CASES for scan in planted_scans(case, SCANS))
    for case in CASES:
        assert meetings_of(case.index, everybody) == truth_of(case)
        assert len(truth_of(case)) >= 10


def test_decoys_never_meet_the_index_case_and_everybody_else_does() -> None:
    for case in CASES:
        met = {contact for contact, *_ in truth_of(case)}
        decoys = {case.token(row) for row in case.decoys}
        assert len(decoys) == 8
        assert met == {case.token(row) for row in range(1, len(case.tokens))} - decoys


def test_the_decoys_do_come_close() -> None:
    """Each decoy would be found by a rule that is only a little wrong."""
    case = CASES[0]
    index = [stay for stay in case.stays if stay.person == INDEX]
    by_reason = {why: [stay for stay in case.stays if stay.person == row] for row, why in case.decoys.items()}
    touching = by_reason["left at the instant the index case came"][0]
    assert (touching.venue, touching.leave_ms) == (index[0].venue, index[0].enter_ms)
    after = by_reason["came at the instant the index case left"][0]
    assert (after.venue, after.enter_ms) == (index[0].venue, index[0].leave_ms)
    instant = by_reason["entered and left in the same second"][0]
    assert index[2].enter_ms < instant.enter_ms == instant.leave_ms < index[2].leave_ms
    other_run = by_reason["same vehicle, another run that overlaps in time"][0]
    assert other_run.venue == index[1].venue
    assert other_run.departure_ms != index[1].departure_ms
    assert other_run.leave_ms > index[1].enter_ms
    other_vehicle = by_reason["another vehicle with the same departure"][0]
    assert (other_vehicle.departure_ms, other_vehicle.enter_ms) == (index[1].departure_ms, index[1].enter_ms)
    assert other_vehicle.venue != index[1].venue


def test_some_contacts_meet_the_index_case_several_times_and_one_for_a_second() -> None:
    case = CASES[0]
    meetings = case.meetings(CITY.venue_table, CITY.zone)
    times = defaultdict(list)
    for meeting in meetings:
        times[meeting.contact].append(meeting)
    assert max(len(found) for found in times.values()) == 3
    assert any(len({m.venue_id for m in found}) == 1 < len(found) for found in times.values())
    assert 1 in {meeting.as_json()["overlap_s"] for meeting in meetings}
    assert all((m.end_ms - m.start_ms) % 1000 == 0 for m in meetings)


def test_another_carriage_of_the_same_run_is_a_contact() -> None:
    case = CASES[0]
    ride = next(stay for stay in case.stays if stay.person == INDEX and stay.departure_ms >= 0)
    others = {
        s.carriage
        for s in case.stays
        if s.person != INDEX and (s.venue, s.departure_ms) == (ride.venue, ride.departure_ms)
    }
    assert others - {ride.carriage}


def test_planted_people_go_to_planted_venues_only_and_nobody_else_does() -> None:
    first = CITY.venue_table.background
    planted = {CITY.venue_table.venue_id(row) for row in range(first, len(CITY.venue_table))}
    for scan in SCANS:
        assert (scan.person_token in PLANTED) == (scan.venue_id in planted)


def test_planted_people_scan_in_and_out_of_every_stay() -> None:
    for case in CASES:
        scans = planted_scans(case, SCANS)
        assert len(scans) == 2 * len(case.stays)
        assert sum(scan.direction == "enter" for scan in scans) == len(case.stays)


def test_the_index_case_turns_red_after_the_meetings_and_scans_again_after_that() -> None:
    notes = [(batch.note.kind, batch.note.case) for batch in BATCHES if batch.note is not None]
    for case in CASES:
        assert [kind for kind, number in notes if number == case.number] == ["planted", "red", "scan"]
        red = next(b for b in BATCHES if b.note and (b.note.kind, b.note.case) == ("red", case.number))
        status = HealthStatus.model_validate_json(red.values[0] or b"")
        assert (status.person_token, status.colour, status.version) == (case.index, "red", 2)
        after = next(b for b in BATCHES if b.note and (b.note.kind, b.note.case) == ("scan", case.number))
        (scan,) = scans_of([after])
        assert (scan.person_token, scan.direction) == (case.index, "enter")
        assert case.span.end_ms < case.span.red_ms < epoch_ms(scan.scanned_at)
        assert epoch_ms(status.valid_from) == case.span.red_ms


def test_all_meetings_of_a_case_are_sent_before_it_is_called_planted() -> None:
    seen: set[str] = set()
    for batch in BATCHES:
        if batch.note is not None and batch.note.kind == "planted":
            case = next(one for one in CASES if one.number == batch.note.case)
            assert sum(key == case.index for key in seen) == 1
            at = {epoch_ms(scan.scanned_at) for scan in planted_scans(case, SCANS)}
            assert max(at) <= case.span.end_ms
        seen |= {(key or b"").decode() for key in batch.keys}


def test_planted_people_are_green_before_they_meet() -> None:
    from producers.simulator import Scenario

    scenario = Scenario(CITY, START_MS, START_MS + 3_600_000, CASES)
    values = [value for _, values in scenario.statuses() for value in values]
    green = {s.person_token for s in map(HealthStatus.model_validate_json, values) if s.colour == "green"}
    assert green >= PLANTED


def test_a_case_across_midnight_is_planted_when_the_run_has_one() -> None:
    start = int(datetime.fromisoformat("2026-11-22T22:00:00+08:00").timestamp() * 1000)
    midnight = int(datetime.fromisoformat("2026-11-23T00:00:00+08:00").timestamp() * 1000)
    cases = make_cases(CITY, 8 * HOUR, 2, start)
    meetings = [m for case in cases for m in case.meetings(CITY.venue_table, CITY.zone)]
    assert any(m.start_ms < midnight < m.end_ms for m in meetings)
    everybody = stays_in(
        s for case in cases for s in planted_scans(case, scans_of(make_batches(CITY, 8 * HOUR, 2, start)))
    )
    for case in cases:
        assert meetings_of(case.index, everybody) == truth_of(case)


def test_an_endless_run_plants_a_case_every_two_minutes_and_the_first_is_red_within_half_a_minute() -> None:
    spans = cases_forever(START_MS, 60.0)
    first, second = next(spans), next(spans)
    assert 25_000 * 60 <= first.red_ms - START_MS <= 30_000 * 60
    assert second.begin_ms - first.begin_ms == 120_000 * 60
    assert first.end_ms < first.red_ms < first.scan_ms < second.begin_ms


@pytest.mark.parametrize(("seconds", "speed"), [(60, 60.0), (20, 60.0), (600, 60.0), (3600, 1.0)])
def test_a_run_of_known_length_is_done_with_its_case_by_three_quarters(seconds: int, speed: float) -> None:
    length = seconds * speed * 1000
    (span,) = cases_within(START_MS, seconds * speed, 1, CITY.zone, speed)
    assert span.end_ms - START_MS <= 0.35 * length
    assert (span.red_ms - START_MS) / length == pytest.approx(0.5, abs=0.01)
    assert span.red_ms + 0.05 * length <= span.scan_ms <= START_MS + 0.75 * length


def test_a_run_too_short_for_a_case_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="--cases 0"):
        cases_within(START_MS, 300, 1, CITY.zone)
    assert cases_within(START_MS, 300, 0, CITY.zone) == ()


def test_a_city_without_planted_venues_has_no_cases() -> None:
    (span,) = cases_within(START_MS, HOUR, 1, CITY.zone)
    bare = make_city(planted_sets=0)
    with pytest.raises(ConfigurationError, match="planted-sets"):
        plan_case(bare.config, bare.venue_table, 0, span)
