"""kill -9 at random moments: of the worker, the sink, the ClickHouse process and a broker out of three, all at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from tests.faults.brokers import Brokers
from tests.faults.platform import START_S, Platform, platform
from tests.faults.report import Round
from tests.faults.service import Service

_TICK_S = 0.05
_LONGEST_PAUSE_S = 2.0
_LONGEST_START_S = 15.0
_USUAL_KILL_S = 5.0


@dataclass(frozen=True, slots=True)
class Kills:
    """How many of each."""

    worker: int
    sink: int
    clickhouse: int
    broker: int


class _Killer(threading.Thread):
    """Kills one kind of process again and again, after pauses of random length."""

    def __init__(self, name: str, times: int, kill: Callable[[], None], rng: random.Random, result: Round) -> None:
        super().__init__(name=f"killer of the {name}", daemon=True)
        self._what, self._times, self._kill, self._rng, self._result = name, times, kill, rng, result
        self.left = times
        self.error: BaseException | None = None
        self.stopping = threading.Event()

    @property
    def share(self) -> float:
        """How much of its work is done."""
        return 1 - self.left / self._times if self._times else 1.0

    def run(self) -> None:
        try:
            while self.left and not self.stopping.wait(self._rng.uniform(0, _LONGEST_PAUSE_S)):
                self._kill()
                self._result.count(f"kill -9 of the {self._what}")
                self.left -= 1
        except BaseException as error:
            self.error = error


def kill_round(
    kafka: EmbeddedKafka, clickhouse: EmbeddedClickHouse, directory: Path, *, seed: int, events: int, kills: Kills
) -> Round:
    """Send `events` scans evenly over the time that the kills take; then let everything finish, and compare.

    Args:
        kafka: three brokers.
        clickhouse: a server that may be killed.
        directory: for logs.
        seed: of the load and of the moments.
        events: records in all.
        kills: how many of each; the services are started again at once.
    """
    result = Round(f"kill -9 at random moments, seed {seed}", seed)
    where = (clickhouse.host, clickhouse.port)
    with platform(result, kafka.bootstrap_servers, where, directory, replicas=3) as own:
        worker, sink = own.service("worker", "worker"), own.service("sink", "sink")
        worker.start()
        sink.start()
        own.wait_until(lambda: worker.is_ready() and sink.is_ready(), START_S, "the worker and the sink to be ready")
        brokers = Brokers(kafka, pause_s=0)
        rngs = [random.Random(seed * 10 + number) for number in range(4)]

        def kill_clickhouse() -> None:
            clickhouse.kill()
            clickhouse.start()

        killers = [
            _Killer("worker", kills.worker, lambda: _kill_and_start(worker, rngs[0], result), rngs[0], result),
            _Killer("sink", kills.sink, lambda: _kill_and_start(sink, rngs[1], result), rngs[1], result),
            _Killer("ClickHouse process", kills.clickhouse, kill_clickhouse, rngs[2], result),
            _Killer("broker", kills.broker, lambda: _kill_broker(brokers, own, rngs[3]), rngs[3], result),
        ]
        try:
            _send_while(own, events, killers)
        finally:
            for killer in killers:
                killer.stopping.set()
            for killer in killers:
                killer.join()
        for killer in killers:
            if killer.error is not None:
                raise killer.error
        own.sender.flush()
        own.settle()
        return own.judge()


def _kill_and_start(service: Service, rng: random.Random, result: Round) -> None:
    """Three of four kills strike a service that is ready, the others any state, also while it starts."""
    deadline = time.monotonic() + _LONGEST_START_S
    if rng.random() < 0.75:
        while not service.is_ready() and time.monotonic() < deadline:
            time.sleep(_TICK_S)
        time.sleep(rng.random())
    if service.is_ready():
        result.count(f"of these a ready {service.kind}")
    service.kill_and_start()


def _kill_broker(brokers: Brokers, own: Platform, rng: random.Random) -> None:
    """Kill one, start it again, and wait until its replicas are in sync: two of three must always be.

    The first is the coordinator of the workers' group, the others are any.
    """
    if own.result.faults.get("kill -9 of the broker"):
        brokers.kill(rng.randrange(3))
    else:
        brokers.kill_coordinator(own)
    brokers.await_in_sync(own)


def _send_while(own: Platform, events: int, killers: list[_Killer]) -> None:
    """Send at the pace at which the kills get on, the last twentieth when all are done: each kill hits a load."""
    for killer in killers:
        killer.start()
    parts = own.load.slices(events)
    began, sent, kept_back = time.monotonic(), 0, events // 20
    waiting = next(parts)
    while sent < events:
        own.supervise()
        alive = any(killer.is_alive() for killer in killers)
        done = min(killer.share for killer in killers)
        elapsed = time.monotonic() - began
        left_s = elapsed * (1 - done) / done if done > 0 else _USUAL_KILL_S * max(killer.left for killer in killers)
        due = max(0, int((events - kept_back - sent) * _TICK_S / max(left_s, _TICK_S))) if alive else len(waiting)
        now, waiting = waiting.split(due)
        own.sender.send(now)
        sent += len(now)
        if not len(waiting):
            waiting = next(parts, waiting)
        if alive:
            time.sleep(_TICK_S)
