"""Runs the demo: servers, worker, sink, city; watches what happens; asks for the contacts of every case."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from infra.demo.alert_watch import AlertWatch
from infra.demo.children import EventTail, environment, is_ready, ready_port, verb
from infra.demo.state import Case, DemoState, PlannedMeeting
from infra.embedded.process import ChildProcess
from infra.lag import group_lag, topic_ends
from infra.settings import Settings
from infra.targets import clickhouse_target, kept_days
from infra.topics import apply_topics, plan
from schemas.errors import FatalError, RetryableError
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.queries import contacts, visits_stored

TICK_S = 0.25
_POLL_S = 1.0
_READY_S = 60.0
_SETTLE_S = 90.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What may be chosen: `seconds` of sending (None: until stopped), and the city's seed, size and speed."""

    seconds: float | None
    seed: int
    residents: int
    speed: float
    bad_share: float


def _is_up(ready_file: Path) -> bool:
    port = ready_port(ready_file)
    return port is not None and is_ready(port)


class DemoRun:
    """One run of the demo against its own platform.

    Args:
        settings: where the platform's servers are; the demo's children get the same.
        options: what may be chosen.
        directory: of logs and hand-over files; the caller removes it.
        on_tick: called about four times a second with the state.
    """

    def __init__(
        self,
        settings: Settings,
        options: DemoOptions,
        directory: Path,
        on_tick: Callable[[DemoState], None],
    ) -> None:
        self._settings = settings
        self._options = options
        self._directory = directory
        self._on_tick = on_tick
        self._started = time.monotonic()
        self._polled = 0.0
        self._rate: tuple[float, int] = (self._started, 0)
        self._topics = settings.kafka.topics()
        self._admin = AdminClient(dict(settings.kafka.librdkafka()))
        self._watch = AlertWatch(settings.kafka.librdkafka(), self._topics.all_alerts)
        self._alert_ids: set[str] = set()
        self._children: list[ChildProcess] = []
        self._events = EventTail(directory / "city.log")
        self._city_events: set[str] = set()
        self.state = DemoState(seed=options.seed)

    def start(self, began: float) -> None:
        """Bring everything up until the first scan may be sent.

        Args:
            began: `time.monotonic()` of the command's start, from which the first alert's time is counted.

        Raises:
            FatalError: a part did not come up; the message ends with its last log lines.
        """
        self._started = began
        self._step("topics and tables")
        apply_topics(self._settings.kafka.librdkafka(), plan(self._settings))
        target = clickhouse_target(self._settings)
        Migrator(target, kept_days(self._settings)).up()
        self._client = target.client()
        self._watch.start()
        variables = environment(self._settings)
        self._step("the city registers its venues and colours")
        go = self._directory / "go"
        arguments = ["simulate", "--to", "kafka", "--events", "--go-file", str(go)]
        arguments += ["--seed", str(self._options.seed), "--residents", str(self._options.residents)]
        arguments += ["--speed", str(self._options.speed), "--bad-share", str(self._options.bad_share)]
        if self._options.seconds is not None:
            arguments += ["--seconds", str(self._options.seconds)]
        self._child("city", arguments, variables)
        sink_file, worker_file = self._directory / "sink.ready", self._directory / "worker.ready"
        metrics = {"VENUECODE_WORKER__METRICS_PORT": "0", "VENUECODE_SINK__METRICS_PORT": "0"}
        self._child("sink", ["sink", "--ready-file", str(sink_file)], {**variables, **metrics})
        self._wait(lambda: "statuses" in self._city_events, "the city's colours to be published")
        self._step("worker")
        self._child("worker", ["worker", "--ready-file", str(worker_file)], {**variables, **metrics})
        self._wait(partial(_is_up, worker_file), "the worker")
        self._wait(partial(_is_up, sink_file), "the sink")
        go.touch()
        self.state.phase = "running"
        self._step("people are on their way")

    def run(self) -> None:
        """Watch until the city has sent everything (never, without `seconds`), then until all of it has arrived.

        Raises:
            FatalError: a part ended by itself.
        """
        while "done" not in self._city_events:
            self._tick()
            time.sleep(TICK_S)
        self.state.phase = "settling"
        self._step("everything is sent; waiting until it is stored")
        self._wait(self._settled, "all scans to be stored", _SETTLE_S, fatal=False)
        self._tick(force_poll=True)
        for case in self.state.cases:
            self._ask(case)
        self.state.phase = "done"
        self._step("done")
        self._on_tick(self.state)

    def stop(self) -> None:
        """End the children, the city first; harmless when called twice."""
        self._watch.stop()
        for child in sorted(self._children, key=lambda child: child.name != "city"):
            child.stop(timeout=10)
        self._children.clear()

    def _child(self, name: str, arguments: list[str], variables: dict[str, str]) -> None:
        self._children.append(verb(name, arguments, self._directory, variables))

    def _step(self, text: str) -> None:
        self.state.step = text
        self._on_tick(self.state)

    def _wait(self, condition: Callable[[], bool], what: str, timeout: float = _READY_S, fatal: bool = True) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            self._tick()
            if time.monotonic() > deadline:
                if not fatal:
                    return
                raise FatalError(f"waited {timeout:.0f} s for {what}; the logs are in {self._directory}")
            time.sleep(0.05)

    def _tick(self, force_poll: bool = False) -> None:
        now = time.monotonic()
        self.state.elapsed_s = now - self._started
        for child in self._children:
            code = child.poll()
            if code is not None and not (child.name == "city" and "done" in self._city_events | self._read_events()):
                raise FatalError(f"{child.name} ended by itself (exit code {code}):\n{child.log_tail(15)}")
        self._read_events()
        self._read_alerts()
        if self.state.phase != "starting" and (force_poll or now - self._polled >= _POLL_S):
            self._polled = now
            self._poll()
        self._on_tick(self.state)

    def _read_events(self) -> set[str]:
        for event in self._events.new_events():
            self._city_events.add(event["event"])
            handler = getattr(self, f"_on_{event['event']}", None)
            if handler is not None:
                handler(event)
        return self._city_events

    def _on_progress(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        then, before = self._rate
        if now - then >= 1.0:
            self.state.scans_per_s = (event["delivered"] - before) / (now - then)
            self._rate = (now, event["delivered"])
        self.state.scans_sent = event["delivered"]
        self.state.bad_sent = event["bad"]
        self.state.event_time = datetime.fromisoformat(event["event_time"])

    def _on_done(self, event: dict[str, Any]) -> None:
        self.state.scans_sent = event["delivered"]
        self.state.bad_sent = event["bad"]
        self.state.scans_per_s = 0.0

    def _on_case_planted(self, event: dict[str, Any]) -> None:
        meetings = tuple(
            PlannedMeeting(one["contact"], one["venue_id"], int(one["overlap_s"])) for one in event["expected"]
        )
        self.state.cases.append(Case(event["index"], event["since"], event["until"], meetings))

    def _on_case_red(self, event: dict[str, Any]) -> None:
        for case in self.state.cases:
            if case.index == event["index"]:
                case.red_at = datetime.fromisoformat(event["at"])

    def _read_alerts(self) -> None:
        for seen in self._watch.drain():
            if seen.latency_ms is not None:
                self.state.latencies_ms.append(seen.latency_ms)
            if seen.alert.alert_id in self._alert_ids:
                continue
            if self.state.first_alert_s is None:
                self.state.first_alert_s = round(time.monotonic() - self._started, 1)
            self._alert_ids.add(seen.alert.alert_id)
            self.state.alert_counts[seen.alert.level] += 1
            # Reviews are many and routine; the list is for what a responder acts on.
            if seen.alert.level != "review" or len(self.state.latest_alerts) < 4:
                self.state.latest_alerts.append(seen.alert)

    def _poll(self) -> None:
        try:
            lag = group_lag(self._admin, self._settings.worker.group, [self._topics.scans])
            self.state.worker_lag = lag[self._topics.scans]
            lag = group_lag(self._admin, self._settings.sink.group, [self._topics.visits])
            self.state.sink_lag = lag[self._topics.visits]
            self.state.dead_letters = topic_ends(self._admin, self._topics.dead_letters).records
            self.state.visits_stored = visits_stored(self._client)
        except RetryableError:
            return  # the next poll is a second away
        for case in self.state.cases:
            if case.red_at is not None and (case.found is None or case.missing):
                self._ask(case)

    def _ask(self, case: Case) -> None:
        before = time.perf_counter()
        since, until = datetime.fromisoformat(case.since), datetime.fromisoformat(case.until)
        found = contacts(self._client, case.index, since, until)
        case.query_ms = (time.perf_counter() - before) * 1000
        case.found = {contact.contact: contact.overlap_s for contact in found}

    def _settled(self) -> bool:
        return (
            self.state.worker_lag == 0
            and self.state.sink_lag == 0
            and self.state.visits_stored == self.state.scans_sent
            and self.state.dead_letters == self.state.bad_sent
            and all(
                self._watch.position(topic, partition) >= end
                for topic in self._topics.all_alerts
                for partition, end in topic_ends(self._admin, topic).latest.items()
            )
        )
