"""Topics, a database and services of one round, on servers that others may share."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from infra.demo.children import environment
from infra.lag import GroupLag
from infra.settings import ClickHouseSettings, KafkaSettings, Settings, SinkSettings, WorkerSettings
from infra.targets import clickhouse_target, kept_days
from infra.topics import apply_topics, plan
from schemas.errors import RetryableError
from sinks.clickhouse.migrate import Migrator
from tests.faults.ledger import Ledger, Sender
from tests.faults.load import ALERT_ID_KEY, Load
from tests.faults.report import Round
from tests.faults.service import Service
from tests.faults.verdict import clickhouse_found, kafka_found

_POLL_S = 0.1
START_S = 180.0
"""For services to start, which is not what a round is about: on a machine that others use it takes a minute."""
SMALL_BATCHES = 200
"""Rows in a worker's batch, so that many batches are under way whenever something happens."""


@dataclass(slots=True)
class Platform:
    """One round's own part of the servers.

    Attributes:
        settings: what the services are told.
        directory: logs and ready files.
        load: what is sent; statuses and venues lie on their topics already.
        ledger, sender: of the scans.
        result: of the round.
        services_at: brokers as the services reach them.
        services: those that are started again when they end by themselves.
    """

    settings: Settings
    directory: Path
    load: Load
    ledger: Ledger
    sender: Sender
    result: Round
    services_at: str
    services: list[Service] = field(default_factory=list)

    def service(
        self, kind: str, name: str, *, static: bool = True, group: str | None = None, batch_rows: int = SMALL_BATCHES
    ) -> Service:
        """A worker or sink of this round; not started."""
        variables = {
            **environment(self.settings),
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": self.services_at,
            "VENUECODE_WORKER__GROUP": group or self.settings.worker.group,
            "VENUECODE_SINK__GROUP": group or self.settings.sink.group,
            "VENUECODE_WORKER__BATCH_ROWS": str(batch_rows),
            "VENUECODE_WORKER__ALERT_ID_KEY": ALERT_ID_KEY.decode(),
            "VENUECODE_WORKER__SNAPSHOT_DIR": str(self.directory / f"{name}-snapshots"),
            "VENUECODE_WORKER__SNAPSHOT_EVERY_S": "2",
        }
        service = Service(kind, name, self.directory, variables, static=static)
        self.services.append(service)
        return service

    def send(self, scans: int) -> None:
        """Send, and wait until all is acknowledged."""
        for part in self.load.slices(scans):
            self.sender.send(part)
        self.sender.flush()

    def wait_until(self, condition: Callable[[], object], timeout: float, what: str) -> None:
        """Wait with a deadline; services that end by themselves are started again meanwhile, as a supervisor does.

        Raises:
            TimeoutError: it did not come true; names the logs.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            self.supervise()
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout:.0f} s in vain for {what}; logs: {self.directory}")
            time.sleep(_POLL_S)

    def supervise(self) -> None:
        """Start again what ended by itself (a worker gives up when going on would lose something)."""
        for service in self.services:
            code = service.revive()
            if code is not None:
                self.result.count(f"{service.kind} exits with {code} by itself")

    def settle(self, timeout: float = 180) -> None:
        """Wait until the workers have committed every scan and the sinks every visit and alert.

        Raises:
            TimeoutError: that took too long.
        """
        topics, cluster = self.settings.kafka.topics(), self.settings.kafka.librdkafka()
        with (
            GroupLag(cluster, self.settings.worker.group) as workers,
            GroupLag(cluster, self.settings.sink.group) as sinks,
        ):

            def through() -> bool:
                try:
                    return not any(workers.records([topics.scans]).values()) and not any(
                        sinks.records([topics.visits, *topics.all_alerts]).values()
                    )
                except RetryableError:
                    return False

            self.wait_until(through, timeout, "every scan and visit to be committed")

    def judge(self) -> Round:
        """Compare everything with the ledger.

        Raises:
            TimeoutError: Kafka or ClickHouse did not answer.
        """
        result, cluster = self.result, self.settings.kafka.librdkafka()
        result.events = len(self.ledger)
        result.found = kafka_found(cluster, self.settings.kafka.topics(), self.ledger)
        client = clickhouse_target(self.settings).client()
        try:
            result.found |= clickhouse_found(client, self.ledger)
        finally:
            client.close()
        return result

    def close(self) -> None:
        """End the services."""
        for service in self.services:
            service.kill()


@contextmanager
def platform(
    result: Round,
    bootstrap_servers: str,
    clickhouse: tuple[str, int],
    directory: Path,
    *,
    replicas: int = 1,
    partitions: int = 4,
    services_at: str | None = None,
) -> Iterator[Platform]:
    """Topics and tables made, statuses and venues sent; services ended and tables dropped at the end.

    Args:
        result: what the round is told in; its seed is the load's.
        bootstrap_servers: of Kafka.
        clickhouse: host and port.
        directory: made when missing.
        replicas, partitions: of every topic.
        services_at: brokers as the services reach them, where that is another way.
    """
    mark = uuid.uuid4().hex[:10]
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap_servers=bootstrap_servers,
            topic_prefix=f"f{mark}.",
            partitions=partitions,
            replication_factor=replicas,
        ),
        clickhouse=ClickHouseSettings(host=clickhouse[0], port=clickhouse[1], database=f"faults_{mark}"),
        worker=WorkerSettings(group=f"f{mark}-worker"),
        sink=SinkSettings(group=f"f{mark}-sink"),
    )
    directory.mkdir(parents=True, exist_ok=True)
    apply_topics(settings.kafka.librdkafka(), plan(settings))
    Migrator(clickhouse_target(settings), kept_days(settings)).up()
    load = Load(result.seed, datetime.now(UTC))
    topics, ledger = settings.kafka.topics(), Ledger()
    sender = Sender(settings.kafka.librdkafka(), topics.scans, ledger)
    for venue in load.venues:
        sender.producer.produce(topics.venues, key=venue.venue_id, value=venue.to_json())
    for key, value in load.statuses:
        sender.producer.produce(topics.statuses, key=key, value=value)
    sender.flush()
    made = Platform(settings, directory, load, ledger, sender, result, services_at or bootstrap_servers)
    began = time.monotonic()
    try:
        yield made
        result.seconds = round(time.monotonic() - began, 1)
    finally:
        made.close()
        client = clickhouse_target(settings).client(use_database=False)
        client.command(f"DROP DATABASE IF EXISTS {settings.clickhouse.database} SYNC")
        client.close()
