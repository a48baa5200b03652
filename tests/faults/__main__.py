"""`make faults`: the long form of every round, on servers of its own."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from infra.logging import configure_logging
from tests.faults.brokers import broker_round
from tests.faults.disk import disk_round
from tests.faults.holes import compacted_round, transactional_round
from tests.faults.kills import Kills, kill_round
from tests.faults.network import network_round, proxied_kafka
from tests.faults.rebalances import rebalance_round, restart_round
from tests.faults.refused import refused_round
from tests.faults.report import Round, show, write
from tests.faults.steps import STEPS, step_round
from tests.faults.twins import twin_round
from tests.support.small_disk import NoSmallDiskError

_PASSED_ONCE = {"before_read_back", "after_read_back"}
_ALONE = {"broker.session.timeout.ms": "18000"}
"""A broker without others on a machine that is full is late with its heartbeats, and by default shuts itself out."""


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", nargs="*", choices=sorted(ROUNDS), default=list(ROUNDS), help="default: all")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of loads and moments; default: the clock")
    parser.add_argument("--steps", nargs="*", choices=sorted({*chain(*STEPS.values())}), help="default: all")
    parser.add_argument("--events", type=int, default=1_000_000, help="records in the kill rounds, all together")
    parser.add_argument("--kill-rounds", type=int, default=4, help="into how many rounds the kills are divided")
    parser.add_argument("--kills-worker", type=int, default=100)
    parser.add_argument("--kills-sink", type=int, default=100)
    parser.add_argument("--kills-clickhouse", type=int, default=100)
    parser.add_argument("--kills-broker", type=int, default=30)
    parser.add_argument("--rebalances", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.add_argument("--file", type=Path, help="write the result as JSON here as well")
    parser.add_argument(
        "--directory", type=Path, help="for data and logs; default: a temporary one, kept when something is wrong"
    )
    return parser.parse_args()


@contextmanager
def servers(directory: Path, brokers: int) -> Iterator[tuple[EmbeddedKafka, EmbeddedClickHouse]]:
    """Kafka and ClickHouse, gone afterwards."""
    with (
        EmbeddedClickHouse(directory / "clickhouse", port=0) as clickhouse,
        EmbeddedKafka(directory / "kafka", brokers=brokers, port=0, properties=_ALONE if brokers == 1 else {}) as kafka,
    ):
        try:
            yield kafka, clickhouse
        finally:
            for number in range(brokers):
                kafka.kill_broker(number)  # quicker than stopping the last of three without a quorum


def kills(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """100 + 100 + 100 + 30 over a million events, in some rounds."""
    number = given.kill_rounds
    totals = (given.kills_worker, given.kills_sink, given.kills_clickhouse, given.kills_broker)
    for one in range(number):
        place = directory / f"kills-{one}"
        share = Kills(*((total + one) // number for total in totals))
        with servers(place, 3) as (kafka, clickhouse):
            yield kill_round(
                kafka, clickhouse, place / "logs", seed=given.seed + one, events=given.events // number, kills=share
            )


def steps(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """Every step of the worker and of the sink, three deaths at each, a round for each step.

    At its first, second and third time; at its first time again where a process mostly passes it once.
    """
    with servers(directory / "steps", 1) as (kafka, clickhouse):
        for kind, names in STEPS.items():
            for step in names:
                if given.steps and step not in given.steps:
                    continue
                yield step_round(
                    kafka.bootstrap_servers,
                    (clickhouse.host, clickhouse.port),
                    directory / "steps" / f"{kind}-{step}",
                    seed=given.seed,
                    deaths=[(kind, step, times) for times in ((1, 1, 1) if step in _PASSED_ONCE else (1, 2, 3))],
                )


def rebalances(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """100 rebalances, restarts of static and of ordinary members, and twins."""
    with servers(directory / "groups", 1) as (kafka, clickhouse):
        where = kafka.bootstrap_servers, (clickhouse.host, clickhouse.port)
        yield rebalance_round(*where, directory / "groups" / "rebalances", seed=given.seed, actions=given.rebalances)
        for static in (True, False):
            place = directory / "groups" / f"restarts-{static}"
            yield restart_round(*where, place, seed=given.seed, times=10, static=static)
        yield twin_round(*where, directory / "groups" / "twins", seed=given.seed, events=50_000)


def brokers(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """A broker of three paused, moved, and killed as the coordinator, three times each."""
    for act in ("pause", "move_leader", "kill_coordinator"):
        place = directory / f"brokers-{act}"
        with servers(place, 3) as (kafka, clickhouse):
            where = clickhouse.host, clickhouse.port
            yield broker_round(kafka, where, place / "logs", seed=given.seed, acts=[act] * 3)


def network(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """A slow network that is cut 30 times, and a topic of scans that was compacted."""
    place = directory / "network"
    with (
        EmbeddedClickHouse(place / "clickhouse", port=0) as clickhouse,
        proxied_kafka(place / "kafka", log_cleaner_backoff_ms="200") as proxied,
    ):
        where = clickhouse.host, clickhouse.port
        yield network_round(proxied, where, place / "cuts", seed=given.seed, cuts=30)
        servers_near = proxied.kafka.bootstrap_servers
        yield compacted_round(servers_near, where, place / "compacted", seed=given.seed, events=100_000)


def edges(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """Transactions, and a producer that cannot send."""
    place = directory / "edge"
    with servers(place, 1) as (kafka, clickhouse):
        where = clickhouse.host, clickhouse.port
        for number in range(3):
            yield refused_round(kafka, where, place / f"refused-{number}", seed=given.seed + number)
        yield transactional_round(
            kafka.bootstrap_servers, where, place / "transactions", seed=given.seed, transactions=300
        )


def disks(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """A broker's full disk, three times."""
    place = directory / "disk"
    with EmbeddedClickHouse(place / "clickhouse", port=0) as clickhouse:
        try:
            yield disk_round((clickhouse.host, clickhouse.port), place / "disk", seed=given.seed, times=3)
        except NoSmallDiskError as error:
            sys.stderr.write(f"SKIPPED, the broker's disk is full: {error}\n")


ROUNDS: dict[str, Callable[[argparse.Namespace, Path], Iterator[Round]]] = {
    "kills": kills,
    "steps": steps,
    "rebalances": rebalances,
    "brokers": brokers,
    "network": network,
    "edge": edges,
    "disk": disks,
}


def main() -> int:
    """Run the rounds; 0 when every promise was kept."""
    given = parse()
    configure_logging("warning", "text")
    directory = given.directory or Path(tempfile.mkdtemp(prefix="venuecode-faults-"))
    sys.stderr.write(f"seed {given.seed}; data and logs in {directory}\n")
    done: list[Round] = []
    for name in given.rounds:
        for result in ROUNDS[name](given, directory):
            done.append(result)
            show(done[-1:], None)
            if given.file is not None:
                write(done, given.file)  # what is done stays, also when a later round fails
    show(done, given.file)
    if given.json:
        print(json.dumps([one.as_json() for one in done]))  # noqa: T201
    kept = all(one.is_kept for one in done)
    if kept and given.directory is None:
        shutil.rmtree(directory)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
