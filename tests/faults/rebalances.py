"""Workers that join, leave, fall silent for longer than the session time-out and wake up as zombies, under load."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.platform import START_S, Platform, platform
from tests.faults.report import Round
from tests.faults.service import Service
from tests.faults.trickle import Standstill, Trickle

_PER_SECOND = 400
_MOST_WORKERS = 3
_PARTITIONS = 6  # divides by 1, 2 and 3: of 4, Faust leaves two to each of two workers and none to the third
_REBALANCE_S = 180.0
"""A failure; how long it took is in the result, and judged there."""


@dataclass(slots=True)
class _Group:
    """The workers of a round; the last one of `paused` is asleep."""

    own: Platform
    awake: list[Service] = field(default_factory=list)
    paused: list[Service] = field(default_factory=list)
    made: int = 0

    def act(self, action: str, rng: random.Random) -> None:
        """Change who is in the group."""
        if action == "join":
            self.made += 1
            worker = self.own.service("worker", f"worker-{self.made}", static=False)
            worker.start()
            self.awake.append(worker)
        elif action == "leave":
            worker = self.awake.pop(rng.randrange(len(self.awake)))
            worker.stop()
            self.own.services.remove(worker)
        elif action == "pause":
            worker = self.awake.pop(rng.randrange(len(self.awake)))
            worker.pause()
            self.paused.append(worker)
        else:
            worker = self.paused.pop()
            worker.resume()
            self.awake.append(worker)
        self.own.result.count(f"worker {action}")

    def possible(self) -> list[str]:
        """What may come next: one stays awake, and one at most sleeps."""
        found = []
        if len(self.awake) + len(self.paused) < _MOST_WORKERS:
            found.append("join")
        if len(self.awake) > 1:
            found += ["leave"] if self.paused else ["leave", "pause"]
        return found + ["wake"] * 2 * len(self.paused)

    def is_settled(self) -> bool:
        """Whether those who are awake have joined and own every partition between them."""
        owned = sum(int(worker.metric("partitions")) for worker in self.awake)
        return owned == self.own.settings.kafka.partitions and all(worker.is_ready() for worker in self.awake)


def rebalance_round(
    bootstrap_servers: str,
    clickhouse: tuple[str, int],
    directory: Path,
    *,
    seed: int,
    actions: Iterable[str] | int,
) -> Round:
    """One change of the group after the other, while scans come; how long the slowest partition stood still each time.

    Args:
        bootstrap_servers, clickhouse: the servers.
        directory: for logs.
        seed: of the load and of the choices.
        actions: what is done, `join`, `leave`, `pause` and `wake`; or how many are chosen.
    """
    result = Round(f"rebalances under load, seed {seed}", seed)
    rng = random.Random(seed)
    with platform(result, bootstrap_servers, clickhouse, directory, partitions=_PARTITIONS) as own:
        group = _Group(own)
        own.service("sink", "sink").start()
        group.act("join", rng)
        with Trickle(own, _PER_SECOND), Standstill(own) as standstill:
            began = standstill.begin()
            own.wait_until(lambda: group.is_settled() and standstill.all_grew_since(began), START_S, "the first worker")
            result.faults.clear()
            for action in _chosen(actions, group, rng):
                moment = standstill.begin()
                group.act(action, rng)
                own.wait_until(
                    lambda moment=moment: group.is_settled() and standstill.all_grew_since(moment),  # type: ignore[misc]
                    _REBALANCE_S,
                    f"every partition to get on after a worker's {action}",
                )
                result.standstill_s.append(round(standstill.longest(), 2))
                time.sleep(rng.random())
            while group.paused:
                group.act("wake", rng)
        own.settle()
        return own.judge()


def restart_round(
    bootstrap_servers: str, clickhouse: tuple[str, int], directory: Path, *, seed: int, times: int, static: bool
) -> Round:
    """One of two workers is killed with -9 and started again at once; how long the slowest partition stood still.

    Args:
        bootstrap_servers, clickhouse: the servers.
        directory: for logs.
        seed: of the load.
        times: how often.
        static: whether the workers have a name in the group, so that the brokers wait for them to come back.
    """
    result = Round(f"a worker killed and started again, {'static' if static else 'ordinary'} members", seed)
    rng = random.Random(seed)
    with platform(result, bootstrap_servers, clickhouse, directory) as own:
        group = _Group(own, [own.service("worker", f"worker-{number}", static=static) for number in range(2)])
        for service in (own.service("sink", "sink"), *group.awake):
            service.start()
        with Trickle(own, _PER_SECOND), Standstill(own) as standstill:
            began = standstill.begin()
            own.wait_until(lambda: group.is_settled() and standstill.all_grew_since(began), START_S, "both workers")
            for _ in range(times):
                moment = standstill.begin()
                rng.choice(group.awake).kill_and_start()
                result.count("kill -9 and a start of the worker")
                own.wait_until(
                    lambda moment=moment: group.is_settled() and standstill.all_grew_since(moment),  # type: ignore[misc]
                    _REBALANCE_S,
                    "every partition to get on after a restart",
                )
                result.standstill_s.append(round(standstill.longest(), 2))
                time.sleep(rng.random())
        own.settle()
        return own.judge()


def _chosen(actions: Iterable[str] | int, group: _Group, rng: random.Random) -> Iterator[str]:
    if not isinstance(actions, int):
        yield from actions
        return
    for _ in range(actions):
        yield rng.choice(group.possible())
