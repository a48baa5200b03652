"""Runs a scenario against a target, and tells what happens as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from producers.simulator.cases import Case, rfc3339
from producers.simulator.events import Batch
from producers.simulator.pace import Clock, Pacing, pace
from producers.simulator.scenario import Scenario
from producers.simulator.targets import Target

Emit = Callable[[dict[str, Any]], None]
_PROGRESS_S: Final = 0.5


@dataclass(slots=True)
class Totals:
    """What was sent: `scans` are valid ones, `bad` invalid records on purpose, `statuses` those of the start."""

    venues: int = 0
    statuses: int = 0
    scans: int = 0
    bad: int = 0
    cases: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends, whichever comes first: after `seconds` of wall time or so many valid scans (None: never).

    `gap_s` is how long after an index case's red status was delivered their next scan is held back, wall time.
    """

    seconds: float | None = None
    scans: int | None = None
    gap_s: float = 3.0


class Simulation:
    """Sends a scenario.

    Events (dicts, given to `emit`): `venues` and `statuses` (count, once delivered); `progress` (sent, delivered, bad,
    event_time, wall) every half second; `case_planted` (index, expected, since, until) when all meetings of a case are
    delivered; `case_red` (index, at) when its red status is; `case_scan` (index, at) when the scan after it is; `done`
    (sent, delivered, bad) last.

    Args:
        stop: asked all the time; when true, what is sent so far is flushed and the run ends.
    """

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        clock: Clock,
        emit: Emit,
        pacing: Pacing,
        limits: Limits,
        stop: Callable[[], bool],
    ) -> None:
        self._scenario, self._target, self._clock, self._emit = scenario, target, clock, emit
        self._pacing, self._limits, self._stop = pacing, limits, stop
        self._deadline = float("inf")
        self._event_ms = scenario.start_ms
        self._reported = float("-inf")
        self._held: list[tuple[float, Case, Batch]] = []
        self._red_at: dict[int, float] = {}
        self.totals = Totals()

    def prepare(self) -> None:
        """Register the venues and publish the statuses; all of it is delivered on return."""
        self.totals.venues = self._target.venues(self._scenario.city.venues())
        self._target.flush()
        self._emit({"event": "venues", "count": self.totals.venues})
        for keys, values in self._scenario.statuses():
            self._target.statuses(keys, values)
            self.totals.statuses += len(keys)
            if self._stop():
                break
        self._target.flush()
        self._emit({"event": "statuses", "count": self.totals.statuses})

    def run(self) -> Totals:
        """Send the scans until the scenario, the limits or `stop` end it; all sent is delivered on return."""
        if self._limits.seconds is not None:
            self._deadline = self._clock.now() + self._limits.seconds
        for part in pace(self._scenario.batches(), self._scenario.start_ms, self._pacing, self._clock, self._is_over):
            self._send(part)
            self._send_held()
            self._progress()
        while self._held and not self._stop():
            self._clock.sleep(max(0.0, self._held[0][0] - self._clock.now()))
            self._send_held()
        self._target.flush()
        self._progress(force=True)
        self._emit({"event": "done", **self._counts()})
        return self.totals

    def _is_over(self) -> bool:
        full = self._limits.scans is not None and self.totals.scans >= self._limits.scans
        return full or self._stop() or self._clock.now() >= self._deadline

    def _send(self, batch: Batch) -> None:
        if batch.note is None:
            self._send_plain(batch)
            return
        case = self._scenario.cases[batch.note.case]
        if batch.note.kind == "planted":
            self._planted(case)
        elif batch.note.kind == "red":
            self._target.send(batch)
            self._target.flush()
            self._red_at[case.number] = self._clock.now()
            self._emit({"event": "case_red", "index": case.index, "at": rfc3339(case.span.red_ms)})
        else:
            # The status must have reached whoever decides before the scan does: they are on different topics.
            held_until = self._red_at.get(case.number, self._clock.now()) + self._limits.gap_s
            self._held.append((held_until, case, batch))

    def _send_plain(self, batch: Batch) -> None:
        if batch.what == "scans" and self._limits.scans is not None:
            batch = _first_good(batch, self._limits.scans - self.totals.scans)
        if not len(batch):
            return
        self._target.send(batch)
        self._event_ms = int(batch.due[-1])
        if batch.what == "scans":
            bad = int(batch.bad.sum())
            self.totals.bad += bad
            self.totals.scans += len(batch) - bad

    def _planted(self, case: Case) -> None:
        self._target.flush()
        meetings = [
            meeting.as_json() for meeting in case.meetings(self._scenario.city.venue_table, self._scenario.city.zone)
        ]
        self._target.truth(meetings, case.decoys_as_json())
        self.totals.cases += 1
        self._emit(
            {
                "event": "case_planted",
                "index": case.index,
                "expected": meetings,
                "since": rfc3339(case.span.begin_ms),
                "until": rfc3339(case.span.end_ms),
            }
        )

    def _send_held(self) -> None:
        now = self._clock.now()
        due = [entry for entry in self._held if entry[0] <= now]
        self._held = [entry for entry in self._held if entry[0] > now]
        for _, case, batch in due:
            if self._limits.scans is not None and self.totals.scans >= self._limits.scans:
                return
            self._send_plain(batch)
            self._target.flush()
            self._emit({"event": "case_scan", "index": case.index, "at": rfc3339(int(batch.at[0]))})

    def _counts(self) -> dict[str, int]:
        delivered = max(0, self.totals.scans - self._target.pending)
        return {"sent": self.totals.scans, "delivered": delivered, "bad": self.totals.bad}

    def _progress(self, force: bool = False) -> None:
        now = self._clock.now()
        if force or now - self._reported >= _PROGRESS_S:
            self._reported = now
            event_time, wall = rfc3339(self._event_ms), rfc3339(int(now * 1000))
            self._emit({"event": "progress", **self._counts(), "event_time": event_time, "wall": wall})


def _first_good(batch: Batch, count: int) -> Batch:
    """The beginning of a batch that holds so many valid records at most."""
    good = (~batch.bad).cumsum()
    if not len(batch) or good[-1] <= count:
        return batch
    return batch.part(0, int(good.searchsorted(count, side="right")))
