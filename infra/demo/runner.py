"""Runs the demo: the city on its way through the stack; watches, and asks for the contacts of every case."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from infra.demo.alert_watch import AlertWatch
from infra.demo.children import EventTail
from infra.demo.stack import Stack
from infra.demo.state import Case, DemoState, PlannedMeeting
from infra.lag import topic_ends
from infra.targets import clickhouse_target
from schemas.errors import RetryableError
from sinks.clickhouse.queries import contacts, visits_stored

TICK_S = 0.25
_POLL_S = 1.0
_READY_S = 60.0
_SETTLE_S = 90.0
_CITY = "city"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What may be chosen: `seconds` of sending (None: until stopped), and the city's seed, size and speed."""

    seconds: float | None
    seed: int
    residents: int
    speed: float
    bad_share: float


class DemoRun:
    """One run of the demo.

    Args:
        stack: the product's processes, beside servers of this demo's own.
        options: what may be chosen.
        began: `time.monotonic()` of the command's start; the first alert's time counts from it.
        on_tick: called about four times a second with the state.
    """

    def __init__(self, stack: Stack, options: DemoOptions, began: float, on_tick: Callable[[DemoState], None]) -> None:
        self._stack = stack
        self._options = options
        self._began = began
        self._on_tick = on_tick
        self._polled = 0.0
        self._rate = (began, 0)
        self._watch = AlertWatch(stack.settings.kafka.librdkafka(), stack.topics.all_alerts)
        self._alert_ids: set[str] = set()
        self._events = EventTail(stack.directory / f"{_CITY}.log")
        self._city_events: set[str] = set()
        self.state = DemoState(seed=options.seed, zone=ZoneInfo(stack.settings.timezone))

    def start(self) -> None:
        """Bring everything up until the first scan may be sent.

        Raises:
            FatalError: a part did not come up; the message ends with its last log lines.
        """
        stack = self._stack
        self._step("topics and tables")
        stack.prepare()
        self._client = clickhouse_target(stack.settings).client()
        self._watch.start()
        self._step("the city registers its venues and colours")
        go = stack.directory / "go"
        stack.start(_CITY, self._city_arguments(str(go)))
        stack.start_service("sink")
        # The worker comes after the colours: what it reads before its first scan is then all of them.
        stack.wait(lambda: "statuses" in self._city_events, "the city's colours", _READY_S, self._tick)
        self._step("the worker reads venues and colours")
        stack.start_service("worker")
        for name in ("worker", "sink"):
            stack.wait(lambda name=name: stack.is_up(name), f"the {name}", _READY_S, self._tick)  # type: ignore[misc]
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
        deadline = time.monotonic() + _SETTLE_S
        while not self._settled() and time.monotonic() < deadline:
            self._tick()
            time.sleep(TICK_S)
        self._poll()
        self._read_alerts()
        for case in self.state.cases:
            self._ask(case)
        self.state.phase = "done"
        self._step("done")

    def stop(self) -> None:
        """End the processes; harmless when called twice."""
        self._watch.stop()
        self._stack.stop()

    def _city_arguments(self, go_file: str) -> list[str]:
        options = self._options
        arguments = ["simulate", "--to", "kafka", "--events", "--go-file", go_file]
        arguments += ["--seed", str(options.seed), "--residents", str(options.residents)]
        arguments += ["--speed", str(options.speed), "--bad-share", str(options.bad_share)]
        return arguments if options.seconds is None else [*arguments, "--seconds", str(options.seconds)]

    def _step(self, text: str) -> None:
        self.state.step = text
        self._on_tick(self.state)

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.elapsed_s = now - self._began
        self._read_events()
        self._stack.check(frozenset({_CITY}) if "done" in self._city_events else frozenset())
        self.state.restarts = self._stack.restarts
        self._read_alerts()
        if self.state.phase != "starting" and now - self._polled >= _POLL_S:
            self._polled = now
            self._poll()
        self._on_tick(self.state)

    def _read_events(self) -> None:
        handlers = {
            "progress": self._on_progress,
            "done": self._on_progress,
            "case_planted": self._on_case_planted,
            "case_red": self._on_case_red,
        }
        for event in self._events.new_events():
            handlers.get(event["event"], lambda _: None)(event)
            self._city_events.add(event["event"])

    def _on_progress(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        then, before = self._rate
        if now - then >= 1.0:
            self.state.scans_per_s = (event["delivered"] - before) / (now - then)
            self._rate = (now, event["delivered"])
        self.state.scans_sent = event["delivered"]
        self.state.bad_sent = event["bad"]
        if "event_time" in event:
            self.state.event_time = datetime.fromisoformat(event["event_time"])

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
                self.state.first_alert_s = round(time.monotonic() - self._began, 1)
            self._alert_ids.add(seen.alert.alert_id)
            self.state.alert_counts[seen.alert.level] += 1
            self.state.latest_alerts[seen.alert.level].append(seen.alert)

    def _poll(self) -> None:
        try:
            self.state.worker_lag, self.state.sink_lag = self._stack.lag()
            self.state.dead_letters = self._stack.dead_letters()
            self.state.visits_stored = visits_stored(self._client)
            for case in self.state.cases:
                if case.red_at is not None and (case.found is None or case.missing):
                    self._ask(case)
        except RetryableError:
            return  # the next poll is a second away

    def _ask(self, case: Case) -> None:
        before = time.perf_counter()
        since, until = datetime.fromisoformat(case.since), datetime.fromisoformat(case.until)
        found = contacts(self._client, case.index, since, until)
        case.query_ms = (time.perf_counter() - before) * 1000
        case.found = {contact.contact: contact.overlap_s for contact in found}

    def _settled(self) -> bool:
        state = self.state
        return (
            state.worker_lag == state.sink_lag == 0
            and state.visits_stored == state.scans_sent
            and state.bad_are_set_aside()
            and self._alerts_are_read()
        )

    def _alerts_are_read(self) -> bool:
        try:
            return all(
                self._watch.position(topic, partition) >= end
                for topic in self._stack.topics.all_alerts
                for partition, end in topic_ends(self._stack.admin, topic).latest.items()
            )
        except RetryableError:
            return False
