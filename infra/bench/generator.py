"""`python -m infra.bench.generator`: sends scans at a rate, in a process of its own, and says what was acknowledged.

Standard output has a JSON object a line: `progress` (`sent`, `delivered`, `wall_ms`) and, last, `done`. Every scan
carries the time at which it was handed to the producer.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from infra.bench.people import PROBES, People, ScanWriter
from producers.simulator.encoding import Ints
from schemas.kafka import producer_config
from schemas.topics import Topics
from streams.batch_producer import BatchProducer, Records

_TICK_S: Final = 0.02
_BUSY_TICK_S: Final = 0.04
_BUSY_RATE: Final = 50_000
"""A produce request costs the broker as much as some hundreds of scans do, and each tick is one for every partition:
from so many scans a second on ticks are longer."""
_REPORT_S: Final = 0.25
_MOST: Final = 10_000
_UNDER_WAY: Final = 400_000
_FLUSH_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Phase:
    """So many seconds at so many scans a second."""

    seconds: float
    rate: float


def plan_text(phases: Sequence[Phase]) -> str:
    """Phases as an argument: `30@10000,120@100000`."""
    return ",".join(f"{phase.seconds:g}@{phase.rate:g}" for phase in phases)


def read_plan(text: str) -> list[Phase]:
    """The phases of `plan_text`."""
    return [Phase(*(float(number) for number in part.split("@"))) for part in text.split(",")]


def due(phases: Sequence[Phase], elapsed: float) -> int:
    """How many scans are to be sent after so many seconds."""
    total = 0.0
    for phase in phases:
        total += phase.rate * min(max(0.0, elapsed), phase.seconds)
        elapsed -= phase.seconds
    return int(total)


def tick_s(phases: Sequence[Phase], elapsed: float) -> float:
    """How long it gathers scans after so many seconds."""
    for phase in phases:
        if elapsed < phase.seconds:
            return _BUSY_TICK_S if phase.rate >= _BUSY_RATE else _TICK_S
        elapsed -= phase.seconds
    return _TICK_S


class Generator:
    """Sends scans of a range of people by a plan, and now and then one of a probe.

    Args:
        producer: to the topic of scans.
        writer: writes them.
        partitions: of that topic, everybody's.
        people: lowest and highest (exclusive) number of the people who scan.
        probes: people of whom one scans every `probe_s` seconds, in turn; nobody: no probes.
    """

    def __init__(
        self,
        producer: BatchProducer,
        writer: ScanWriter,
        partitions: Ints,
        people: tuple[int, int],
        probes: Sequence[int],
        probe_s: float,
    ) -> None:
        self._producer, self._writer, self._partitions, self._people = producer, writer, partitions, people
        self._probes, self._probe_s = probes, probe_s
        self._probed = 0
        self.sent = 0

    def run(self, phases: Sequence[Phase], stop: threading.Event) -> None:
        """Send until the plan is over, or stopped; all of it is acknowledged on return.

        A generator that cannot keep up sends less than planned, and never a backlog faster than planned.
        """
        began = reported = time.monotonic()
        length = sum(phase.seconds for phase in phases)
        while not stop.is_set():
            now = time.monotonic()
            elapsed = now - began
            self._producer.poll(0)
            while self.sent - self._producer.acknowledged_of_all() > _UNDER_WAY:
                self._producer.poll(10)
            self._send(min(_MOST, due(phases, min(elapsed, length)) - self.sent), elapsed)
            if now - reported >= _REPORT_S:
                reported = now
                self.report("progress")
            if elapsed >= length:
                break
            stop.wait(max(0.0, tick_s(phases, elapsed) - (time.monotonic() - now)))
        deadline = time.monotonic() + _FLUSH_S
        while self._producer.acknowledged_of_all() < self.sent and time.monotonic() < deadline:
            self._producer.poll(10)
        self.report("done")

    def _send(self, count: int, elapsed: float) -> None:
        if count <= 0:
            return
        people = self._writer.draw(*self._people, count)
        if self._probes and elapsed >= self._probed * self._probe_s:
            people[0] = self._probes[self._probed % len(self._probes)]
            self._probed += 1
        # A partition's records together; those of one person stay in their order.
        partitions = self._partitions[people]
        order = np.argsort(partitions, kind="stable")
        numbers, counts = np.unique(partitions, return_counts=True)
        keys, lines = self._writer.scans(people[order], time.time_ns() // 1_000_000)
        self._producer.produce(Records(dict(zip(numbers.tolist(), counts.tolist(), strict=True)), keys, lines))
        self.sent += count

    def report(self, event: str) -> None:
        """Say how far it is."""
        line: dict[str, Any] = {"event": event, "sent": self.sent, "delivered": self._producer.acknowledged_of_all()}
        sys.stdout.write(json.dumps({**line, "probes": self._probed, "wall_ms": time.time_ns() // 1_000_000}) + "\n")
        sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Run by the arguments; 0 when everything sent was acknowledged."""
    options = _parse(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    people = People(options.people)
    low, high = options.low or PROBES, options.high or options.people
    probes = people.probes(options.partitions) if options.probe_s else []
    config = producer_config({"bootstrap.servers": options.bootstrap_servers}, queue_buffering_max_messages=500_000)
    producer = BatchProducer(config, Topics(options.prefix).scans)
    try:
        writer = ScanWriter(people, options.seed)
        generator = Generator(
            producer, writer, people.partitions(options.partitions), (low, high), probes, options.probe_s or 1.0
        )
        writer.scans(np.arange(PROBES), 0)  # numpy's first call of everything, before the clock runs
        generator.run(read_plan(options.plan), stop)
    finally:
        producer.close()
    return int(generator.sent > producer.acknowledged_of_all())


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.bench.generator")
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--low", type=int, default=0)
    parser.add_argument("--high", type=int, default=0)
    parser.add_argument("--plan", required=True, help="seconds@rate, comma-separated")
    parser.add_argument("--probe-s", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=11)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
