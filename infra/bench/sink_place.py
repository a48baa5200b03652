"""A sink on an embedded platform of its own, watched from outside."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.process import ChildProcess
from infra.topics import apply_topics
from schemas.errors import FatalError
from schemas.kafka import ClientConfig
from schemas.topics import Topics, topic_plan
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.target import ClickHouseTarget

PARTITIONS: Final = 8
ORDERS: Final = ("visits", "visits_by_place")
_DEADLINE_S: Final = 300.0
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class SinkPlace:
    """Brokers with empty topics, and a ClickHouse."""

    folder: Path
    kafka: EmbeddedKafka
    clickhouse: EmbeddedClickHouse
    cluster: ClientConfig
    topics: Topics

    def database(self, name: str) -> ClickHouseTarget:
        """A new database with all tables."""
        target = ClickHouseTarget(host=self.clickhouse.host, port=self.clickhouse.port, database=name)
        Migrator(target, 14).up()
        return target

    def sink(self, target: ClickHouseTarget) -> WatchedSink:
        """A sink that writes into the database, in a consumer group of the database's name; not started."""
        return WatchedSink(
            target.database,
            self.folder,
            {
                "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
                "VENUECODE_CLICKHOUSE__HOST": target.host,
                "VENUECODE_CLICKHOUSE__PORT": str(target.port),
                "VENUECODE_CLICKHOUSE__DATABASE": target.database,
                "VENUECODE_SINK__GROUP": target.database,
                "VENUECODE_SINK__METRICS_PORT": "0",
            },
        )


@contextmanager
def sink_place() -> Iterator[SinkPlace]:
    """The platform; everything of it is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="venuecode-bench-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", port=0) as kafka,
        EmbeddedClickHouse(Path(folder) / "clickhouse", port=0) as clickhouse,
    ):
        cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
        topics = Topics()
        apply_topics(cluster, topic_plan(topics, partitions=PARTITIONS, replication_factor=1, retention_days=14))
        yield SinkPlace(Path(folder), kafka, clickhouse, cluster, topics)


class WatchedSink:
    """A sink's process and its metrics.

    Args:
        name: of its files.
        folder: for them.
        variables: its settings.
    """

    def __init__(self, name: str, folder: Path, variables: dict[str, str]) -> None:
        self._ready_file = folder / f"{name}.ready"
        argv = [sys.executable, "-m", "infra.cli.main", "sink", "--ready-file", str(self._ready_file)]
        self.process = ChildProcess("sink", argv, folder / f"{name}.log", env={**os.environ, **variables})
        self._port = 0

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            FatalError: it did not.
        """
        self.process.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._ready_file.exists():
                self._port = int(json.loads(self._ready_file.read_text())["metrics_port"])
                return
            time.sleep(_POLL_S)
        raise FatalError(f"the sink did not start; the end of its log:\n{self.process.log_tail()}")

    def wait_for(self, metric: str, least: float) -> dict[str, float]:
        """All metrics, once one of them has reached a value.

        Raises:
            FatalError: the sink ended, or was too slow.
        """
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = self.metrics()
            if found.get(metric, 0) >= least:
                return found
            time.sleep(_POLL_S)
        raise FatalError(f"the sink's {metric} did not reach {least:g}; the end of its log:\n{self.process.log_tail()}")

    def metrics(self) -> dict[str, float]:
        """All metrics by name and labels; none when it does not answer."""
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except (URLError, OSError):
            return {}
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}


def active_parts(client: Any, database: str) -> dict[str, int]:
    """Active parts of each order, all days together."""
    rows = client.query(
        "SELECT table, count() FROM system.parts WHERE active AND database = {database:String} GROUP BY table",
        parameters={"database": database},
    ).result_rows
    found = dict(rows)
    return {order: int(found.get(order, 0)) for order in ORDERS}


def stored(client: Any) -> dict[str, tuple[int, int]]:
    """Of each order: visits as its view shows them, and different identities among them."""
    sql = "SELECT count(), uniqExact(source_topic, source_partition, source_offset) FROM all_"
    return {order: client.query(sql + order).result_rows[0] for order in ORDERS}
