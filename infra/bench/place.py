"""Where a benchmark of several processes runs: servers, topics and tables of its own, gone at the end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.bench.generator import Phase, plan_text
from infra.bench.people import People, utc_now
from infra.bench.rounds import tell
from infra.bench.scans import fill_scans
from infra.demo.stack import Stack
from infra.embedded.process import ChildProcess
from infra.lag import GroupLag
from infra.platform import Platform
from infra.settings import ClickHouseSettings, KafkaSettings, Settings
from producers.publisher import Publisher
from schemas.errors import ConfigurationError

_READY_S = 180.0


@dataclass(frozen=True, slots=True)
class Place:
    """Running servers, and the product's processes beside them."""

    platform: Platform
    stack: Stack
    people: People

    @property
    def partitions(self) -> int:
        """Of scans, statuses and visits."""
        return self.stack.settings.kafka.partitions

    def start_services(self, *kinds: str) -> None:
        """Start a `worker`, a `sink`, or both; returns when they are ready and have read all statuses and venues."""
        for kind in kinds:
            self.stack.start_service(kind)
        for kind in kinds:
            self.stack.wait(lambda kind=kind: self.stack.is_up(kind), f"the {kind}", _READY_S)  # type: ignore[misc]
        if "sink" in kinds:
            topics = [self.stack.topics.statuses, self.stack.topics.venues]
            with GroupLag(self.stack.settings.kafka.librdkafka(), self.stack.settings.sink.group) as lag:
                self.stack.wait(lambda: not any(lag.records(topics).values()), "the sink's colours", _READY_S)

    def start_generator(
        self,
        phases: Sequence[Phase],
        *,
        name: str = "generator",
        among: tuple[int, int] | None = None,
        probe_s: float = 0.0,
        seed: int = 11,
    ) -> ChildProcess:
        """Start to send scans, by a plan.

        Args:
            phases: one after the other.
            name: of the process and its log.
            among: lowest and highest (exclusive) number of the people who scan; null: everybody but the probes.
            probe_s: seconds between two scans of probes; 0: none.
            seed: of the choice of people and venues.
        """
        argv = [sys.executable, "-m", "infra.bench.generator", "--plan", plan_text(phases), "--seed", str(seed)]
        argv += ["--bootstrap-servers", self.stack.settings.kafka.bootstrap_servers, "--people", str(self.people.count)]
        argv += ["--partitions", str(self.partitions), "--probe-s", str(probe_s)]
        if among is not None:
            argv += ["--low", str(among[0]), "--high", str(among[1])]
        child = ChildProcess(name, argv, self.stack.directory / f"{name}.log")
        self.stack.children[name] = child
        return child.start()


@contextmanager
def bench_place(people: int, *, free_gib: float = 2.0, alerts_remembered: int | None = None) -> Iterator[Place]:
    """Servers on free ports with topics and tables, 20,000 venues and everybody's status on their topics.

    Args:
        people: how many have a token.
        free_gib: disk space that must be free.
        alerts_remembered: of the worker; null: as the settings say.

    Raises:
        ConfigurationError: the disk is too full.
    """
    with tempfile.TemporaryDirectory(prefix="venuecode-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        free = shutil.disk_usage(folder).free / 2**30
        if free < free_gib:
            raise ConfigurationError(
                f"this needs {free_gib:.0f} GiB of disk and {folder.parent} has {free:.0f}; "
                "make it shorter or slower, or point TMPDIR at another disk"
            )
        tell("starting Kafka and ClickHouse")
        with Platform(folder, kafka_port=0, clickhouse_port=0, sustained=True) as platform:
            stack = Stack(_settings(platform, alerts_remembered), folder)
            try:
                stack.prepare()
                tell(f"filling in {people:,} statuses")
                crowd = People(people)
                _fill(stack, crowd)
                yield Place(platform, stack, crowd)
            finally:
                stack.stop()


def _settings(platform: Platform, alerts_remembered: int | None) -> Settings:
    base = Settings()
    remembered = alerts_remembered or base.worker.alerts_remembered
    worker = base.worker.model_copy(update={"alerts_remembered": remembered})
    kafka = KafkaSettings(bootstrap_servers=platform.kafka.bootstrap_servers, partitions=base.kafka.partitions)
    clickhouse = ClickHouseSettings(port=platform.clickhouse_port)
    return base.model_copy(update={"kafka": kafka, "clickhouse": clickhouse, "worker": worker})


def _fill(stack: Stack, people: People) -> None:
    cluster = stack.settings.kafka.librdkafka()
    fill_scans(cluster, stack.topics, scans=0, statuses=0)  # the venues only
    with Publisher(cluster, queue_buffering_max_messages=500_000) as publisher:
        for keys, values in people.statuses(utc_now()):
            publisher.publish_batch(stack.topics.statuses, keys, values)
