"""The brokers' settings: KRaft in combined mode (every node is broker and controller), loopback only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

HOST = "127.0.0.1"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its `number` (from 1), its ports on loopback, and the directory with its data and logs."""

    number: int
    port: int
    controller_port: int
    directory: Path

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        """Where its partitions are."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """Kafka's own log."""
        return self.directory / "kafka.log"

    @property
    def output(self) -> Path:
        """What the Java machine itself prints: it could not start, it ran out of memory."""
        return self.directory / "java.log"

    @property
    def properties(self) -> Path:
        """Its settings, written anew at every start."""
        return self.directory / "server.properties"


def server_properties(node: Node, nodes: list[Node], further: Mapping[str, str] = MappingProxyType({})) -> str:
    """The node's `server.properties`; internal topics have a replica on every node, a majority must be in sync.

    Args:
        node: which one.
        nodes: all of them.
        further: settings that win over these.
    """
    replicas = len(nodes)
    in_sync = replicas // 2 + 1
    values: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": ",".join(f"{each.number}@{HOST}:{each.controller_port}" for each in nodes),
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": node.data,
        # Topics are made on purpose (`venuecode topics apply`), never by a misspelt name.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # Groups form at once: the delay is for many members that start together in a data centre.
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        # Small machine: the cleaner's buffer is 128 MB by default, a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
        # Handing requests from thread to thread costs more than it gains (docs/decisions/0010-sink.md, fewer requests).
        "num.network.threads": 1,
        "num.io.threads": 2,
        # A node that was killed is out, and may come back, sooner than after the usual 9 s.
        "broker.session.timeout.ms": 3000 if replicas == 1 else 5000,
        "broker.heartbeat.interval.ms": 500,
        "controller.quorum.election.timeout.ms": 500,
        "controller.quorum.election.backoff.max.ms": 200,
        **further,
    }
    return "".join(f"{name}={escaped(str(value))}\n" for name, value in values.items())


def escaped(value: str) -> str:
    """A value as java.util.Properties reads it: backslashes doubled, everything beyond ASCII as UTF-16 escapes."""
    return json.dumps(value)[1:-1]  # the same escapes
