"""`make faults`: the long form of every round, on servers of its own."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from infra.logging import configure_logging
from tests.faults.kills import Kills, kill_round
from tests.faults.report import Round, show


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", nargs="*", choices=sorted(ROUNDS), default=list(ROUNDS), help="default: all")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of loads and moments; default: the clock")
    parser.add_argument("--events", type=int, default=1_000_000, help="records in the kill rounds, all together")
    parser.add_argument("--kill-rounds", type=int, default=4, help="into how many rounds the kills are divided")
    parser.add_argument("--kills-worker", type=int, default=100)
    parser.add_argument("--kills-sink", type=int, default=100)
    parser.add_argument("--kills-clickhouse", type=int, default=100)
    parser.add_argument("--kills-broker", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.add_argument("--file", type=Path, help="write the result as JSON here as well")
    parser.add_argument("--directory", type=Path, help="for data and logs; default: a temporary one")
    return parser.parse_args()


@contextmanager
def servers(directory: Path, brokers: int) -> Iterator[tuple[EmbeddedKafka, EmbeddedClickHouse]]:
    """Kafka and ClickHouse, gone afterwards."""
    with (
        EmbeddedClickHouse(directory / "clickhouse", port=0) as clickhouse,
        EmbeddedKafka(directory / "kafka", brokers=brokers, port=0) as kafka,
    ):
        try:
            yield kafka, clickhouse
        finally:
            for number in range(brokers):
                kafka.kill_broker(number)  # quicker than stopping the last of three without a quorum


def kills(given: argparse.Namespace, directory: Path) -> Iterator[Round]:
    """100 + 100 + 100 + 30 over a million events, in some rounds."""
    number = given.kill_rounds
    for one in range(number):
        share = [
            (total + one) // number
            for total in (given.kills_worker, given.kills_sink, given.kills_clickhouse, given.kills_broker)
        ]
        with servers(directory / f"kills-{one}", 3) as (kafka, clickhouse):
            yield kill_round(
                kafka,
                clickhouse,
                directory / f"kills-{one}" / "logs",
                seed=given.seed + one,
                events=given.events // number,
                kills=Kills(*share),
            )


ROUNDS: dict[str, Callable[[argparse.Namespace, Path], Iterator[Round]]] = {"kills": kills}


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
    show(done, given.file)
    if given.json:
        print(json.dumps([one.as_json() for one in done]))  # noqa: T201
    return 0 if all(one.is_kept for one in done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
