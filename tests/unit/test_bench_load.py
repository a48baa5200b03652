"""What the benchmarks send and how they judge: valid records, exact plans, trends that know how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.generator import Phase, due, plan_text, read_plan, tick_s
from infra.bench.meters import Latencies
from infra.bench.people import PROBES, People, ScanWriter, utc_now
from infra.bench.soak import verdict
from infra.bench.trend import trend
from producers.partitions import partition_of, partitions_of
from schemas.health import HealthStatus
from schemas.scan import Scan

PEOPLE = People(3000)


def test_statuses_are_valid_and_their_colours_the_promised_ones() -> None:
    found = {}
    for keys, values in PEOPLE.statuses(utc_now()):
        for key, value in zip(keys, values, strict=True):
            status = HealthStatus.model_validate_json(value)
            assert status.person_token == key.decode()
            found[status.person_token] = status.colour
    expected = {PEOPLE.token(n): PEOPLE.colour(n) for n in range(3000) if PEOPLE.colour(n) is not None}
    assert found == expected
    assert set(found.values()) == {"green", "yellow", "red"}


def test_scans_are_valid_of_the_people_asked_for_and_all_have_ids_of_their_own() -> None:
    writer = ScanWriter(PEOPLE, 1)
    people = writer.draw(PROBES, 3000, 500)
    keys, values = writer.scans(people, 1_800_000_000_123)
    scans = [Scan.model_validate_json(value) for value in values.splitlines()]
    assert [scan.person_token for scan in scans] == [PEOPLE.token(n) for n in people] == [k.decode() for k in keys]
    assert len({scan.scan_id for scan in scans}) == 500
    assert {scan.scanned_at.timestamp() for scan in scans} == {1_800_000_000.123}


@given(st.integers(1, 9), st.integers(1, 200), st.binary(min_size=0, max_size=400))
def test_partitions_of_many_keys_are_those_of_each(words: int, partitions: int, raw: bytes) -> None:
    keys = np.frombuffer(raw[: len(raw) // (4 * words) * 4 * words], np.uint8).reshape(-1, 4 * words)
    assert partitions_of(keys, partitions).tolist() == [partition_of(key.tobytes(), partitions) for key in keys]


def test_everybody_has_the_partition_of_their_token() -> None:
    assert PEOPLE.partitions(8).tolist() == [partition_of(PEOPLE.token(n).encode(), 8) for n in range(PEOPLE.count)]


def test_there_is_a_green_probe_in_every_partition() -> None:
    probes = PEOPLE.probes(8)
    assert [partition_of(PEOPLE.token(person).encode(), 8) for person in probes] == list(range(8))
    assert {PEOPLE.colour(person) for person in probes} == {"green"}


@given(st.lists(st.builds(Phase, st.integers(1, 100), st.integers(1, 1000)), min_size=1, max_size=4))
def test_a_plan_sends_what_its_phases_say_and_never_less_later(phases: list[Phase]) -> None:
    assert read_plan(plan_text(phases)) == phases
    length = sum(phase.seconds for phase in phases)
    counts = [due(phases, length * share / 10) for share in range(13)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[10] == counts[12] == sum(phase.seconds * phase.rate for phase in phases)


def test_a_trend_finds_growth_under_noise_and_is_unsure_where_there_is_none() -> None:
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 600, 10.0)
    growing = trend(seconds, 100 + 0.5 * seconds + rng.normal(0, 5, 60))
    assert growing.low < 0.5 < growing.high
    assert growing.grows(0.1)
    flat = trend(seconds, 100 + rng.normal(0, 5, 60))
    assert flat.low < 0 < flat.high
    assert not flat.grows(0)


def test_a_saw_tooth_is_not_many_witnesses() -> None:
    seconds = np.arange(60.0)
    tooth = trend(seconds, (seconds % 20) * 10)
    assert not tooth.grows(0)


def test_a_trend_of_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="three"):
        trend([1, 2], [1, 2])
    with pytest.raises(ValueError, match="three"):
        trend([1, 1, 1], [1, 2, 3])


def test_a_leak_is_called_one_and_a_wobble_is_not() -> None:
    seconds = np.arange(0, 7200, 10.0)
    leak = verdict("rss_mb", trend(seconds, 300 + seconds * 20 / 3600))
    assert leak["grows"]
    assert leak["an_hour"] == pytest.approx(20)
    wobble = verdict("rss_mb", trend(seconds, 300 + np.sin(seconds / 60)))
    assert not wobble["grows"]


def test_latencies_are_counted_by_when_they_began() -> None:
    found = Latencies()
    for now, began in ((1010, 1000), (1100, 1040), (3000, 2000)):
        found.add(now, began)
    assert found.quantiles(1000, 1050) == {"p50": 35, "p99": pytest.approx(59.5, abs=0.1)}
    assert found.quantiles(5000) is None


def test_a_generator_gathers_scans_for_longer_where_many_are_sent() -> None:
    phases = [Phase(30, 10_000), Phase(120, 100_000), Phase(60, 10_000)]
    assert [tick_s(phases, elapsed) for elapsed in (0, 29.9, 30, 149.9, 150, 300)] == [
        0.02,
        0.02,
        0.04,
        0.04,
        0.02,
        0.02,
    ]
