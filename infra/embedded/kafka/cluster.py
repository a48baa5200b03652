"""A real Apache Kafka on this machine, as children of this process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.kafka.aot import ensure_cache
from infra.embedded.kafka.broker import Broker
from infra.embedded.kafka.diagnosis import PortTakenError
from infra.embedded.kafka.directory import MIN_FREE_BYTES, DataDirectory
from infra.embedded.kafka.jars import ensure_jars
from infra.embedded.kafka.java import with_cache
from infra.embedded.kafka.metadata import MetadataProbe
from infra.embedded.kafka.ports import answers, free_ports, require_free
from infra.embedded.kafka.properties import Node, server_properties
from infra.embedded.kafka.storage import format_nodes
from schemas.errors import ConfigurationError, FatalError

_ATTEMPTS = 3


class EmbeddedKafka:
    """An Apache Kafka cluster in KRaft mode on loopback, whose brokers die with this process.

    Args:
        data_dir: of the cluster; made when missing. One cluster at a time may run in it.
        brokers: 1, or 3 (internal topics then have three replicas, two of which must be in sync).
        port: of the first broker, the others follow; 0: any free ports.
        heap_mb: of each Java machine, in MiB.
        min_free_bytes: that must be free on the disk before a start.
        jars_dir: where Kafka's jars are kept; None: the cache directory.
        properties: further settings of every broker, under Kafka's names; they win over ours.
        sustained: compile for a long, heavy load, which costs seconds of processor time at first, and take the whole
            heap at once, instead of for a quick start.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        brokers: int = 1,
        port: int = 9092,
        heap_mb: int = 512,
        min_free_bytes: int = MIN_FREE_BYTES,
        jars_dir: Path | None = None,
        properties: Mapping[str, str] | None = None,
        sustained: bool = False,
    ) -> None:
        if brokers not in (1, 3):
            raise ConfigurationError(f"--brokers is {brokers}: must be 1 or 3")
        self.data_dir = data_dir.absolute()
        if "," in str(self.data_dir):
            raise ConfigurationError(f"{self.data_dir} has a comma in it, which Kafka takes for two directories")
        self._brokers = brokers
        self._port = port
        self._heap_mb = heap_mb
        self._jars_dir = jars_dir
        self._properties = dict(properties or {})
        self._sustained = sustained
        self._jars: list[Path] = []
        self._java_options: tuple[str, ...] = ()
        self._directory = DataDirectory(self.data_dir, min_free_bytes=min_free_bytes)
        self._running: list[Broker] = []

    def start(self) -> Self:
        """Start every broker; returns when a metadata request is answered and lists them all.

        Raises:
            ConfigurationError: the data directory, the port, the disk or a jar does not allow it.
            RetryableError: the jars are not here yet and cannot be downloaded.
            FatalError: a broker ended, or did not answer within two minutes; the message has its log's path and end.
        """
        if self._running:
            raise FatalError(f"Kafka on {self.data_dir} is already started")
        self._jars = ensure_jars(self._jars_dir)
        self._java_options = with_cache(ensure_cache(self._jars))
        try:
            mark = self._directory.open(self._brokers)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._start_all(mark.cluster_id)
                    break
                except PortTakenError:
                    # A port that was free a moment ago is not any more: with free choice, choose again.
                    if self._port != 0 or attempt == _ATTEMPTS:
                        raise
                    self._end_brokers()
        except OSError as error:
            self.stop()
            raise ConfigurationError(f"Kafka's data directory {self.data_dir} cannot be used: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop all brokers cleanly, within 20 s, by force after it; harmless when nothing runs."""
        self._end_brokers()
        self._directory.close()

    def kill_broker(self, number: int) -> None:
        """Kill a broker with -9, as a crash would.

        Args:
            number: from 0.
        """
        self._running[number].child.kill()

    def start_broker(self, number: int) -> None:
        """Start a broker again on its old port; returns when the cluster lists it.

        Args:
            number: from 0.

        Raises:
            FatalError: it ended, or did not come up within two minutes.
        """
        self._running[number].start()
        self._await_brokers()

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, comma-separated."""
        return ",".join(broker.node.address for broker in self._running)

    @property
    def pids(self) -> list[int]:
        """The process ids of the brokers that run."""
        return [broker.child.pid for broker in self._running if broker.child.is_running()]

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """The brokers that were started."""
        return tuple(self._running)

    def check(self) -> None:
        """Look whether every broker still runs.

        Raises:
            FatalError: one ended; says why as far as its log tells, with the log's path and last lines.
        """
        for broker in self._running:
            if (error := broker.why_it_ended()) is not None:
                raise error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_all(self, cluster_id: str) -> None:
        nodes = self._plan()
        for node in nodes:
            node.directory.mkdir(exist_ok=True)
            node.properties.write_text(server_properties(node, nodes, self._properties))
        format_nodes(nodes, self._jars, cluster_id, self._java_options)
        lock = self._directory.lock_descriptor
        options, sustained = self._java_options, self._sustained
        self._running = [
            Broker(node, self._jars, self._heap_mb, lock, java_options=options, sustained=sustained) for node in nodes
        ]
        for broker in self._running:
            broker.start()
        self._await_brokers()

    def _plan(self) -> list[Node]:
        spare = free_ports(2 * self._brokers)
        ports, controller_ports = spare[: self._brokers], spare[self._brokers :]
        if self._port != 0:
            ports = list(range(self._port, self._port + self._brokers))
            for port in ports:
                require_free(port, "--kafka-port")
        return [
            Node(number, port, controller_port, self.data_dir / f"broker-{number}")
            for number, (port, controller_port) in enumerate(zip(ports, controller_ports, strict=True), 1)
        ]

    def _await_brokers(self) -> None:
        """Wait until every broker that runs accepts connections and is listed in the cluster's metadata."""
        alive = [broker for broker in self._running if broker.child.is_running()]
        for broker in alive:
            broker.wait_for(partial(answers, broker.node.port), "listen")
        probe = MetadataProbe(self.bootstrap_servers)
        expected = {broker.node.number for broker in alive}
        for broker in alive:
            broker.wait_for(lambda: expected <= probe.brokers(), "join the cluster")

    def _end_brokers(self) -> None:
        for broker in self._running:
            broker.child.terminate()
        for broker in self._running:
            broker.stop()
        self._running = []
