"""The scans of a simulated city."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from producers.simulator.profiles import category_profiles
from schemas.categories import builtin_categories
from schemas.fast import epoch_ms
from schemas.scan import Scan
from tests.support.simulated import DECODER, START_MS, good_values, make_batches, make_city, scans_of

HOUR = 3600.0
CITY = make_city()
BATCHES = make_batches(CITY, 2 * HOUR)
SCANS = scans_of(BATCHES)
KINDS = {venue.venue_id: venue for venue in CITY.venues()}


def test_every_value_is_accepted_by_the_fast_decoder_and_by_pydantic_alike() -> None:
    values = good_values(BATCHES)
    assert len(values) > 2_000
    assert DECODER.decode_batch(values) is not None
    for value in values[::13]:
        model = Scan.model_validate_json(value)
        assert model.model_dump() == Scan.model_validate_json(model.to_json()).model_dump()
        assert model.scan_id == DECODER.decode(value).scan_id


def test_the_key_is_the_person_and_the_id_carries_the_time() -> None:
    for batch in BATCHES:
        for key, value, at in zip(batch.keys, batch.values, batch.at.tolist(), strict=True):
            if batch.what == "scans":
                scan = DECODER.decode(value)
                assert key == scan.person_token.encode()
                assert epoch_ms(scan.scanned_at) == at == int(scan.scan_id.replace("-", "")[:12], 16)


def test_no_scan_id_comes_twice() -> None:
    assert len({scan.scan_id for scan in SCANS}) == len(SCANS)


def test_scans_come_in_event_time_order_and_within_the_run() -> None:
    at = np.concatenate([batch.at for batch in BATCHES if batch.what == "scans"])
    assert (np.diff(at) >= 0).all()
    assert at[0] >= START_MS
    assert at[-1] < START_MS + 2 * HOUR * 1000


def test_a_late_scan_is_sent_after_it_happened_and_only_so_many_are() -> None:
    batches = [batch for batch in make_batches(make_city(late_share=0.2), 4 * HOUR) if batch.what == "scans"]
    due, at = (np.concatenate([getattr(batch, name) for batch in batches]) for name in ("due", "at"))
    assert (np.diff(due) >= 0).all()
    assert (due >= at).all()
    assert ((due - at)[due > at] >= 300_000).all()
    assert ((due - at) <= 6 * HOUR * 1000).all()
    assert 0.03 < float((due > at).mean()) < 0.2  # those that come after the end of the run are not sent


def test_venues_points_and_trips_are_those_of_the_registry() -> None:
    for scan in SCANS:
        venue = KINDS[scan.venue_id]
        assert scan.point_id in {point.point_id for point in venue.points}
        assert (scan.trip is not None) == builtin_categories()[venue.category].is_vehicle
        if scan.trip is not None:
            assert (scan.trip.seat is not None) == (venue.category in ("railway", "coach", "aviation"))
            assert (scan.trip.carriage is None) == (venue.category in ("city_bus", "taxi", "transfer_vehicle"))


def test_a_vehicle_has_several_runs_and_one_run_several_passengers() -> None:
    runs: dict[str, Counter[str]] = defaultdict(Counter)
    for scan in SCANS:
        if scan.trip is not None:
            runs[scan.trip.vehicle][scan.trip.run] += 1
    busiest = max(runs.values(), key=lambda counts: counts.total())
    assert len(busiest) > 1
    assert max(busiest.values()) > 1


def test_nobody_is_at_two_places_at_once() -> None:
    last: dict[str, Scan] = {}
    everybody = make_city(scan_discipline=1.0, leave_share=1.0)
    for scan in scans_of(make_batches(everybody, 3 * HOUR)):
        before = last.get(scan.person_token)
        if scan.direction == "leave" and before is not None:
            assert (before.direction, before.venue_id, before.trip) == ("enter", scan.venue_id, scan.trip)
        elif before is not None:
            assert before.direction == "leave"
        last[scan.person_token] = scan


def test_the_scanning_discipline_and_the_share_that_scans_out_are_kept() -> None:
    def entered_and_left(discipline: float, leave: float) -> tuple[int, int]:
        city = make_city(residents=10_000, scan_discipline=discipline, leave_share=leave)
        directions = Counter(scan.direction for scan in scans_of(make_batches(city, 3 * HOUR)))
        return directions["enter"], directions["leave"]

    all_visits, all_leaves = entered_and_left(1.0, 1.0)
    entered, left = entered_and_left(0.7, 0.25)
    assert entered == pytest.approx(0.7 * all_visits, rel=0.03)
    assert left == pytest.approx(0.7 * 0.25 * all_leaves, rel=0.08)


def test_people_without_a_phone_are_scanned_for_and_the_others_scan_or_pass_gates_and_staff() -> None:
    by_person: dict[str, set[str]] = defaultdict(set)
    for scan in SCANS:
        by_person[scan.person_token].add(scan.channel)
    phoneless = [channels for channels in by_person.values() if channels & {"manual", "companion"}]
    assert all(len(channels) == 1 for channels in phoneless)
    assert len(phoneless) / len(by_person) == pytest.approx(0.12, abs=0.04)
    assert {channel for channels in by_person.values() for channel in channels} == {
        "phone",
        "staff",
        "gate",
        "manual",
        "companion",
    }


def test_the_morning_peak_is_in_the_morning() -> None:
    counts: Counter[int] = Counter()
    night = START_MS - int(5 * HOUR * 1000)
    for batch in make_batches(CITY, 16 * HOUR, start_ms=night):
        counts.update(((batch.at - night) // 3_600_000).tolist())
    busiest = max(counts, key=lambda hour: counts[hour])
    assert busiest in (5, 6, 7)  # half past six, seven or eight
    assert counts[busiest] > 10 * counts[1]


def test_popular_venues_draw_most_people() -> None:
    restaurants = [number for number, profile in enumerate(category_profiles()) if profile.category == "restaurant"]
    city = make_city(residents=20_000, venues=2_000)
    rows = np.nonzero(city.venue_table.category[:2_000] == restaurants[0])[0]
    ids = {city.venue_table.venue_id(row) for row in rows.tolist()}
    counts = sorted(Counter(s.venue_id for s in scans_of(make_batches(city, 2 * HOUR)) if s.venue_id in ids).values())
    assert sum(counts[-len(ids) // 5 :]) > 0.4 * sum(counts)


def test_whoever_changes_colour_scans_nothing_for_five_minutes_before_and_after() -> None:
    batches = make_batches(make_city(changes_per_hour=400.0), 3 * HOUR)
    changes = [(b.keys[i], at) for b in batches if b.what == "statuses" for i, at in enumerate(b.at.tolist())]
    assert len(changes) > 100
    scanned = defaultdict(list)
    for batch in batches:
        if batch.what == "scans":
            for key, at in zip(batch.keys, batch.at.tolist(), strict=True):
                scanned[key].append(at)
    for person, changed_at in changes:
        assert all(abs(at - changed_at) >= 300_000 for at in scanned[person])


def test_another_seed_is_another_city() -> None:
    assert good_values(make_batches(make_city(seed=8), HOUR)) != good_values(make_batches(CITY, HOUR))
