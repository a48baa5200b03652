"""Kafka and ClickHouse as children of this process, started and stopped together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka, ensure_jars
from infra.embedded.kafka.broker import Broker
from infra.embedded.kafka.ports import require_free
from infra.embedded.process import STORES_LATER, ending
from infra.supervision import Service


class Platform:
    """Both servers on loopback; they die with this process, however it ends.

    Args:
        data_dir: their data goes into its `kafka` and `clickhouse`; made when missing.
        brokers: 1, or 3.
        kafka_port: of the first broker, the others follow; 0: any free ports.
        clickhouse_port: of ClickHouse's HTTP interface; 0: any free port.
        user, password: of ClickHouse's one user; without a password none is asked for.
        sustained: see `infra.embedded.kafka.EmbeddedKafka`.
    """

    def __init__(
        self,
        data_dir: Path,
        brokers: int = 1,
        kafka_port: int = 9092,
        clickhouse_port: int = 8123,
        *,
        user: str = "default",
        password: str = "",
        sustained: bool = False,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.kafka = EmbeddedKafka(self.data_dir / "kafka", brokers=brokers, port=kafka_port, sustained=sustained)
        self.clickhouse = EmbeddedClickHouse(
            self.data_dir / "clickhouse",
            port=clickhouse_port,
            user=user,
            password=password,
            niceness=STORES_LATER,
        )

    @property
    def clickhouse_port(self) -> int:
        """Of ClickHouse's HTTP interface; the real one once started."""
        return self.clickhouse.port

    @property
    def pids(self) -> list[int]:
        """The process ids of the servers that run: Kafka's brokers, then ClickHouse."""
        return [*self.kafka.pids, *([self.clickhouse.pid] if self.clickhouse.poll() is None else [])]

    def start(self) -> Self:
        """Start both at the same time; returns when both answer. When one does not come up, neither stays.

        Raises:
            ConfigurationError: a port, a directory, the disk or a jar does not allow it.
            RetryableError: Kafka's jars are not here yet and cannot be downloaded.
            FatalError: a server ended or did not answer in time; names its log and the log's end.
        """
        if self.clickhouse.port != 0:
            require_free(self.clickhouse.port, "--clickhouse-port")
        ensure_jars()  # here, not in a thread: it may take a while and is interrupted by Ctrl-C at once
        try:
            _together(self.kafka.start, self.clickhouse.start)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both cleanly, at the same time; harmless when they do not run."""
        _together(self.kafka.stop, self.clickhouse.stop)

    def services(self) -> tuple[Service, ...]:
        """Every server, for a supervisor: it comes back on its old port, with its data."""
        brokers = tuple(
            Service(
                f"kafka-{broker.node.number}",
                partial(_why_broker_ended, broker),
                partial(self.kafka.start_broker, number),
            )
            for number, broker in enumerate(self.kafka.brokers)
        )
        return (*brokers, Service("clickhouse", self._why_clickhouse_ended, self.clickhouse.start))

    def _why_clickhouse_ended(self) -> str | None:
        code = self.clickhouse.poll()
        return None if code is None else f"ClickHouse {ending(code)}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _why_broker_ended(broker: Broker) -> str | None:
    error = broker.why_it_ended()
    return None if error is None else str(error)


def _together(*actions: Callable[[], object]) -> None:
    """Run all at the same time, wait for all, then raise what the first of them raised."""
    with ThreadPoolExecutor(len(actions)) as pool:
        futures = [pool.submit(action) for action in actions]
    for future in futures:
        future.result()
