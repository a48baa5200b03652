"""A run of the simulator: what is sent, what is told, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from producers.simulator import Batch, DirectoryTarget, Pacing, Scenario, Simulation
from producers.simulator.run import Limits
from schemas.errors import FatalError
from schemas.health import HealthStatus
from schemas.venue import Venue
from tests.support.simulated import DECODER, START_MS, good_values, make_batches, make_cases, make_city

CITY = make_city()
SPEED = 60.0
SECONDS = 60.0


class FakeClock:
    """Wall time; a wait passes at once."""

    def __init__(self) -> None:
        self.time = START_MS / 1000 + 86_400

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Recorder:
    """A target that keeps what it gets, and counts as delivered what was flushed."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.log: list[tuple[str, float, Any]] = []
        self.pending = 0

    def venues(self, records: Iterable[Venue]) -> int:
        return len(list(records))

    def statuses(self, keys: list[bytes], values: list[bytes]) -> None:
        self.pending += len(keys)

    def send(self, batch: Batch) -> None:
        self.pending += len(batch)
        self.log.append((batch.what, self.clock.now(), batch))

    def truth(self, meetings: Iterable[Mapping[str, Any]], decoys: Iterable[Mapping[str, str]]) -> None:
        self.log.append(("truth", self.clock.now(), (list(meetings), list(decoys))))

    def flush(self) -> None:
        self.pending = 0


def run(
    limits: Limits,
    stop: Callable[[FakeClock], bool] = lambda _: False,
    pacing: Pacing | None = None,
    **changes: Any,
) -> tuple[Recorder, list[tuple[float, dict[str, Any]]], Simulation]:
    clock = FakeClock()
    target, events = Recorder(clock), []
    city = make_city(**changes)
    scenario = Scenario(city, START_MS, START_MS + 3_600_000, make_cases(city, 3_600, 1))
    began = clock.now()

    def emit(event: dict[str, Any]) -> None:
        events.append((clock.now() - began, event))

    simulation = Simulation(scenario, target, clock, emit, pacing or Pacing(speed=SPEED), limits, lambda: stop(clock))
    simulation.prepare()
    simulation.run()
    return target, events, simulation


def test_the_events_come_in_the_order_and_at_the_times_the_demo_counts_on() -> None:
    _, events, _ = run(Limits(seconds=SECONDS))
    kinds = [event["event"] for _, event in events if event["event"] != "progress"]
    assert kinds == ["venues", "statuses", "case_planted", "case_red", "case_scan", "done"]
    at = {event["event"]: wall for wall, event in events}
    assert at["case_planted"] <= 0.36 * SECONDS
    assert at["case_red"] == pytest.approx(0.5 * SECONDS, abs=0.5)
    assert at["case_red"] + 3 <= at["case_scan"] <= 0.75 * SECONDS
    assert at["done"] <= SECONDS + 0.2


def test_progress_comes_about_twice_a_second_and_never_counts_more_than_was_sent() -> None:
    _, events, simulation = run(Limits(seconds=SECONDS), bad_share=0.02)
    progress = [(wall, event) for wall, event in events if event["event"] == "progress"]
    assert len(progress) == pytest.approx(2 * SECONDS, rel=0.1)
    assert all(event["delivered"] <= event["sent"] for _, event in progress)
    done = events[-1][1]
    assert done == {
        "event": "done",
        "sent": simulation.totals.scans,
        "delivered": simulation.totals.scans,
        "bad": simulation.totals.bad,
    }
    assert done["bad"] > 0


def test_the_scan_after_red_is_sent_only_when_the_status_was_delivered_seconds_before() -> None:
    """As fast as it goes, the scan is due at once; it is held back all the same."""
    _, events, _ = run(Limits(), pacing=Pacing())
    at = {event["event"]: wall for wall, event in events}
    assert at["case_red"] + 3 <= at["case_scan"]
    assert events[-1][1]["event"] == "done"


def test_everything_is_sent_exactly_once_and_counted() -> None:
    target, _, simulation = run(Limits(), bad_share=0.02)
    sent = [batch for what, _, batch in target.log if what == "scans"]
    expected = make_batches(make_city(bad_share=0.02), 3_600, 1)
    assert sorted(good_values(sent)) == sorted(good_values(expected))
    assert simulation.totals.scans == len(good_values(expected))
    assert simulation.totals.bad == sum(int(batch.bad.sum()) for batch in expected)
    assert target.pending == 0


def test_so_many_scans_are_sent_to_the_last_one() -> None:
    target, events, simulation = run(Limits(scans=777), pacing=Pacing(), bad_share=0.02)
    assert simulation.totals.scans == 777
    assert len(good_values([batch for what, _, batch in target.log if what == "scans"])) == 777
    assert events[-1][1]["sent"] == 777


def test_a_stop_ends_the_run_flushed_and_counted() -> None:
    target, events, simulation = run(Limits(), stop=lambda clock: clock.now() > START_MS / 1000 + 86_400 + 10)
    assert 0 < simulation.totals.scans < 5_000
    assert target.pending == 0
    assert events[-1][1]["delivered"] == simulation.totals.scans
    assert events[-1][0] < 11


def read(folder: Path, name: str) -> list[bytes]:
    return (folder / f"{name}.ndjson").read_bytes().splitlines()


def into_files(folder: Path, **changes: Any) -> Simulation:
    city = make_city(**changes)
    scenario = Scenario(city, START_MS, START_MS + 3_600_000, make_cases(city, 3_600, 2))
    with DirectoryTarget(folder) as target:
        pacing = Pacing(from_the_future=True)
        simulation = Simulation(scenario, target, FakeClock(), lambda _: None, pacing, Limits(gap_s=0), lambda: False)
        simulation.prepare()
        simulation.run()
    return simulation


def test_files_hold_every_record_as_what_it_is(tmp_path: Path) -> None:
    totals = into_files(tmp_path / "new" / "folder", bad_share=0.02).totals
    folder = tmp_path / "new" / "folder"
    assert len([Venue.model_validate_json(line) for line in read(folder, "venues")]) == totals.venues
    assert len([HealthStatus.model_validate_json(line) for line in read(folder, "statuses")]) >= totals.statuses + 2
    assert len([DECODER.decode(line) for line in read(folder, "scans")]) == totals.scans
    assert len(read(folder, "bad")) == totals.bad
    assert len(read(folder, "decoys")) == 16
    truth = [json.loads(line) for line in read(folder, "truth")]
    assert {"index", "contact", "venue_id", "trip", "overlap_start", "overlap_end", "overlap_s"} == set(truth[0])
    assert len({line["index"] for line in truth}) == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FatalError, match="file"), DirectoryTarget(tmp_path / "file"):
        pass
