"""An alert storm: 82,000 people turn yellow within a minute and go on scanning, among others who do not care.

It happened: a city turned the codes of everybody who had been near one place yellow at once. Variants: the storm, and
the same load and as many new statuses that stay green.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any, Final

import numpy as np

from infra.bench.figures import Run
from infra.bench.generator import Phase
from infra.bench.meters import AlertMeter
from infra.bench.people import PROBES, utc_now
from infra.bench.place import Place, bench_place
from infra.bench.report import Document, document
from infra.bench.rounds import alternate
from infra.bench.storm_ids import recompute_ids
from infra.bench.usage import UsageClock
from infra.demo.children import EventTail
from infra.lag import topic_ends
from producers.publisher import Publisher
from schemas.errors import FatalError
from schemas.health import Colour

PLATEAU_S: Final = 30.0
_STEPS: Final = 120
_BEST_S: Final = 10
_SETTLE_S: Final = 300.0


def run_storm_bench(
    turning: int = 82_000,
    rate: float = 52_000,
    base: float = 10_000,
    turn_s: float = 60.0,
    people: int = 1_000_000,
    runs: int = 3,
) -> Document:
    """Measure a storm.

    Args:
        turning: people who get a new status, evenly over `turn_s` seconds.
        rate: their scans a second, from the first new status on until 30 s after the last.
        base: scans a second of everybody else.
        turn_s: see `turning`.
        people: with a status each.
        runs: rounds.

    Returns:
        The document (`infra.bench.report.document`) with `events_per_s` (visits a second while all have turned),
        `alerts_per_s` (yellow alerts over the best ten seconds), `cpu_s_per_million` (of the worker, scans),
        `scan_to_alert_ms` (of red alerts, none of which is of the storm, once all have turned), `peak_rss_mb`. Runs
        have `alerts`, `alert_ids` and `alert_ids_expected`, recomputed from the visits.

    Raises:
        FatalError: a part ended, a scan has no visit, or the ids of the alerts are not the recomputed ones.
    """
    sizes = {"turning": turning, "rate": rate, "base": base, "turn_s": turn_s, "people": people}
    run = partial(_run, turning, rate, base, turn_s, people)
    return document("storm", alternate({"storm": partial(run, "yellow"), "calm": partial(run, "green")}, runs), sizes)


def _run(turning: int, rate: float, base: float, turn_s: float, people: int, colour: Colour, _number: int) -> Run:
    seconds = turn_s + PLATEAU_S
    with bench_place(people) as place:
        stack = place.stack
        place.start_services("worker")
        reds = AlertMeter(stack.settings.kafka.librdkafka(), (stack.topics.alerts("red"),))
        reds.start()
        crowd = (PROBES, PROBES + turning)
        place.start_generator([Phase(seconds, base)], name="others", among=(crowd[1], people), seed=21)
        place.start_generator([Phase(seconds, rate)], name="crowd", among=crowd, seed=22)
        usage = UsageClock({"worker": stack.children["worker"].pid})
        samples = _Samples(place)
        samples.await_first()
        turner = _Turner(place, colour, crowd, turn_s)
        turner.start()
        samples.take(usage.read)
        turner.finish()
        sent = samples.sent()
        stack.wait(lambda: samples.visits() >= sent, "all visits", _SETTLE_S, samples.check)
        used = usage.read()
        reds.stop()
        visits, alerts, ids, expected = recompute_ids(place)
    if (visits, ids) != (sent, expected):
        raise FatalError(f"{sent} scans and {visits} visits; {ids} alert ids and {expected} expected")
    return {
        "events_per_s": round(samples.visits_per_s(turn_s)),
        "alerts_per_s": round(samples.best_alerts_per_s()),
        "cpu_s_per_million": round(used.cpu_s["worker"] / sent * 1e6, 2),
        "scan_to_alert_ms": reds.quantiles(samples.began_ms + turn_s * 1000),
        "peak_rss_mb": round(used.peak_rss_mb["worker"]),
        "sent": sent,
        "visits": visits,
        "alerts": alerts,
        "alert_ids": ids,
        "alert_ids_expected": expected,
    }


class _Turner(threading.Thread):
    """Publishes the new statuses, evenly over some seconds."""

    def __init__(self, place: Place, colour: Colour, crowd: tuple[int, int], seconds: float) -> None:
        super().__init__(name="turner", daemon=True)
        self._place, self._colour, self._crowd, self._seconds = place, colour, crowd, seconds
        self._error: Exception | None = None

    def run(self) -> None:
        stack, people = self._place.stack, self._place.people
        began = time.monotonic()
        try:
            with Publisher(stack.settings.kafka.librdkafka()) as publisher:
                for step, part in enumerate(np.array_split(np.arange(*self._crowd), _STEPS)):
                    time.sleep(max(0.0, began + step * self._seconds / _STEPS - time.monotonic()))
                    publisher.publish_batch(stack.topics.statuses, *people.status_of(part, self._colour, 2, utc_now()))
                    publisher.flush()
        except Exception as error:
            self._error = error

    def finish(self) -> None:
        """Wait for the last; raises what went wrong."""
        self.join()
        if self._error is not None:
            raise self._error


class _Samples:
    """Ends of topics, second by second."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tails = {name: EventTail(place.stack.directory / f"{name}.log") for name in ("others", "crowd")}
        self._sent = dict.fromkeys(self._tails, 0)
        self._done: set[str] = set()
        self._seconds: list[float] = []
        self._visits: list[int] = []
        self._alerts: list[int] = []
        self.began_ms = 0.0

    def await_first(self) -> None:
        """Return when the first visit is there."""
        self._place.stack.wait(lambda: self.visits() > 0, "the first visit", 60)
        self.began_ms = time.time() * 1000

    def take(self, every_second: Any) -> None:
        """Sample until both generators are done."""
        topics, admin = self._place.stack.topics, self._place.stack.admin
        while len(self._done) < len(self._tails):
            self.check()
            self._seconds.append(time.time() - self.began_ms / 1000)
            self._visits.append(self.visits())
            self._alerts.append(topic_ends(admin, topics.alerts("yellow")).records)
            every_second()
            self.sent()
            time.sleep(1)

    def check(self) -> None:
        """Raises FatalError: a part ended by itself."""
        children = self._place.stack.children
        self._place.stack.check(frozenset(name for name in self._tails if children[name].poll() == 0))

    def visits(self) -> int:
        """Visits on their topic."""
        return topic_ends(self._place.stack.admin, self._place.stack.topics.visits).records

    def sent(self) -> int:
        """Scans that Kafka has acknowledged."""
        for name, tail in self._tails.items():
            for event in tail.new_events():
                self._sent[name] = event["delivered"]
                if event["event"] == "done":
                    self._done.add(name)
        return sum(self._sent.values())

    def visits_per_s(self, since_s: float) -> float:
        """From a second on to the last sample."""
        first = next((n for n, second in enumerate(self._seconds) if second >= since_s), 0)
        return (self._visits[-1] - self._visits[first]) / (self._seconds[-1] - self._seconds[first] or 1.0)

    def best_alerts_per_s(self) -> float:
        """Over the best ten seconds."""
        pairs = zip(range(len(self._seconds)), range(_BEST_S, len(self._seconds)), strict=False)
        return max(
            ((self._alerts[b] - self._alerts[a]) / (self._seconds[b] - self._seconds[a]) for a, b in pairs),
            default=0.0,
        )
