"""Puts a simulated city together and runs it: what `venuecode simulate` does once its options are read."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.cli.common import err, print_json
from infra.cli.simulate_options import check_start, make_plan, parse_duration, parse_pacing, parse_start
from infra.settings import Settings
from producers.publisher import Publisher
from producers.simulator import City, CityConfig, DirectoryTarget, KafkaTarget, Scenario, Simulation, Totals, plan_case
from producers.simulator.run import Emit, Limits
from producers.simulator.targets import Target


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The options of the verb, by their names there."""

    to: str
    seed: int
    residents: int
    venues: int
    start: str | None
    duration: str
    seconds: float | None
    speed: float | None
    rate: str | None
    scans: int | None
    cases: int | None
    scan_discipline: float
    leave_share: float
    late_share: float
    bad_share: float
    changes_per_hour: float
    go_file: Path | None
    events: bool

    @property
    def live(self) -> bool:
        """Whether it goes to a platform rather than into files."""
        return self.to == "kafka"


class StopSignal:
    """Wall time whose waits end when a signal asks to stop; a second signal interrupts at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def __call__(self) -> bool:
        return self._asked.is_set()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self._asked.wait(seconds)

    def ask(self, *_: object) -> None:
        """Ask to stop; as a signal handler, or directly."""
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask to stop."""
        before = {number: signal.signal(number, self.ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _emitter(as_events: bool, stop: StopSignal) -> Iterator[Emit]:
    """Events as JSON lines on standard output, or a line that moves on standard error."""
    if as_events:

        def write(event: dict[str, Any]) -> None:
            try:
                print_json(event)
            except BrokenPipeError:
                if not stop():
                    stop.ask()  # nobody listens any more; what was sent is still flushed

        yield write
        return
    with err.status("building the city") as status:

        def show(event: dict[str, Any]) -> None:
            match event["event"]:
                case "statuses":
                    status.update(f"{event['count']:,} statuses published")
                case "progress":
                    status.update(f"{event['sent']:,} scans sent, city time {event['event_time']}")
                case "case_planted":
                    err.print(f"a case was planted: {len(event['expected'])} meetings", highlight=False)
                case "case_red":
                    err.print(f"its index case turned red at {event['at']}", highlight=False)

        yield show


def run_simulation(options: SimulateOptions, settings: Settings) -> Totals:
    """Build the city, publish it, wait for the go, send the scans.

    Raises:
        ConfigurationError: an option is wrong.
        RetryableError, FatalError: something could not be delivered or written.
    """
    zone, now = ZoneInfo(settings.timezone), datetime.now(UTC)
    pacing = parse_pacing(options.speed, options.rate, options.live)
    start = parse_start(options.start, now, zone)
    if options.live:
        check_start(start, now, None if settings.retention.analysis else settings.retention.days)
    plan = make_plan(
        start,
        now,
        pacing,
        zone,
        duration=None if options.duration == "none" else parse_duration(options.duration),
        seconds=options.seconds,
        cases=options.cases,
        scans=options.scans,
    )
    config = CityConfig(
        seed=options.seed,
        residents=options.residents,
        venues=options.venues,
        scan_discipline=options.scan_discipline,
        leave_share=options.leave_share,
        late_share=options.late_share,
        bad_share=options.bad_share,
        changes_per_hour=options.changes_per_hour,
        planted_sets=plan.planted_sets,
        timezone=settings.timezone,
    )
    stop = StopSignal()
    with stop.on_signals(), ExitStack() as stack:
        emit = stack.enter_context(_emitter(options.events, stop))
        target: Target
        if options.live:
            publisher = stack.enter_context(Publisher(settings.kafka.librdkafka()))
            target = KafkaTarget(publisher, settings.kafka.topics())
        else:
            target = stack.enter_context(DirectoryTarget(Path(options.to)))
        city = City.build(config)
        cases = (plan_case(config, city.venue_table, number, span) for number, span in zip(count(), plan.spans))
        scenario = Scenario(city, plan.start_ms, plan.end_ms, cases)
        limits = Limits(options.seconds, options.scans, _gap_s(options))
        simulation = Simulation(scenario, target, stop, emit, pacing, limits, stop)
        simulation.prepare()
        while options.go_file is not None and not options.go_file.exists() and not stop():
            stop.sleep(0.02)
        return simulation.run()


def _gap_s(options: SimulateOptions) -> float:
    """Between a red status and the scan after it: three seconds, less in a very short run, none into files."""
    if not options.live:
        return 0.0
    return min(3.0, 0.15 * options.seconds) if options.seconds is not None else 3.0
