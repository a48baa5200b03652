"""Pacing against a clock that only moves when somebody waits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from producers.simulator import Batch, Note, Pacing, pace
from schemas.errors import ConfigurationError
from tests.support.simulated import START_MS


class FakeClock:
    """Wall time; a wait passes at once."""

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def batch_of(offsets_ms: list[int], note: Note | None = None) -> Batch:
    due = np.array(offsets_ms, np.int64) + START_MS
    keys = [b"%d" % number for number in range(len(offsets_ms))]
    return Batch("scans", due, due, keys, keys, np.zeros(len(due), np.bool_), note)


def evenly(seconds: int, per_second: int) -> Iterator[Batch]:
    """Batches of a minute each."""
    for minute in range(0, seconds, 60):
        yield batch_of([minute * 1000 + number * 1000 // per_second for number in range(60 * per_second)])


def sent_at(pacing: Pacing, clock: FakeClock, batches: Iterator[Batch]) -> list[tuple[float, int]]:
    """(wall time since the start, event time since the start in ms) of every record."""
    began = clock.now()
    return [
        (clock.now() - began, due - START_MS)
        for part in pace(batches, START_MS, pacing, clock, lambda: False)
        for due in part.due.tolist()
    ]


def test_with_a_speed_each_record_is_sent_when_it_is_due_and_not_before() -> None:
    sent = sent_at(Pacing(speed=60), FakeClock(START_MS / 1000 + 86_400), evenly(3_600, 5))
    assert len(sent) == 3_600 * 5
    assert all(at / 1000 / 60 <= wall + 1e-6 <= at / 1000 / 60 + 0.051 for wall, at in sent)


def test_with_a_rate_so_many_are_sent_a_second() -> None:
    sent = sent_at(Pacing(rate=1_000), FakeClock(START_MS / 1000 + 86_400), evenly(600, 20))
    assert sent[-1][0] == pytest.approx(len(sent) / 1_000, abs=0.1)
    for second in range(1, 10):
        assert sum(wall < second for wall, _ in sent) == pytest.approx(second * 1_000, abs=60)


def test_without_either_nothing_waits() -> None:
    sent = sent_at(Pacing(), FakeClock(START_MS / 1000 + 86_400), evenly(3_600, 20))
    assert sent[-1][0] == 0.0


@pytest.mark.parametrize("pacing", [Pacing(speed=60), Pacing(rate=1_000_000), Pacing()])
def test_event_time_that_caught_up_with_the_clock_passes_like_the_clock(pacing: Pacing) -> None:
    behind = 120.0
    sent = sent_at(pacing, FakeClock(START_MS / 1000 + behind), evenly(600, 5))
    assert all(at / 1000 <= behind + wall + 1e-6 for wall, at in sent)
    assert sent[-1][0] == pytest.approx(600 - behind, abs=0.5)


def test_files_may_hold_what_has_not_happened_yet() -> None:
    sent = sent_at(Pacing(from_the_future=True), FakeClock(START_MS / 1000 - 86_400), evenly(600, 5))
    assert len(sent) == 3_000
    assert sent[-1][0] == 0.0


def test_order_is_kept_and_a_note_comes_after_everything_before_it() -> None:
    note = Note("planted", 0)
    batches = [batch_of([0, 1_000, 2_000]), batch_of([], note), batch_of([2_500])]
    clock = FakeClock(START_MS / 1000 + 86_400)
    parts = [part for part in pace(batches, START_MS, Pacing(speed=10), clock, lambda: False) if len(part) or part.note]
    assert [due for part in parts for due in (part.due - START_MS).tolist()] == [0, 1_000, 2_000, 2_500]
    assert [part.note for part in parts if part.note] == [note]
    position = next(number for number, part in enumerate(parts) if part.note)
    assert sum(len(part) for part in parts[:position]) == 3


def test_a_note_stays_with_the_last_row_of_its_batch() -> None:
    clock = FakeClock(START_MS / 1000 + 86_400)
    parts = list(pace([batch_of([0, 60_000], Note("red", 1))], START_MS, Pacing(speed=60), clock, lambda: False))
    assert [(len(part), part.note is not None) for part in parts if len(part)] == [(1, False), (1, True)]


def test_stopping_ends_at_the_next_part() -> None:
    clock = FakeClock(START_MS / 1000 + 86_400)
    parts = pace(evenly(3_600, 5), START_MS, Pacing(speed=60), clock, lambda: clock.now() > START_MS / 1000 + 86_410)
    assert sum(len(part) for part in parts) == pytest.approx(600 * 5, abs=30)


@pytest.mark.parametrize(("speed", "rate"), [(60.0, 5.0), (0.0, None), (None, 0.0), (-1.0, None)])
def test_a_pace_that_makes_no_sense_is_refused(speed: float | None, rate: float | None) -> None:
    with pytest.raises(ConfigurationError):
        Pacing(speed=speed, rate=rate)
