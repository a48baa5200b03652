"""A broker out of three is paused, loses its leadership, or is killed as the coordinator of the groups."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import ElectionType
from confluent_kafka.admin import AdminClient

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.platform import START_S, Platform, platform
from tests.faults.report import Round
from tests.faults.trickle import Standstill, Trickle

_PER_SECOND = 400
_RECOVER_S = 120.0
_POLL_S = 0.1


class Brokers:
    """What can be done to a broker of a cluster of three; nothing waits for its replicas but `await_in_sync`.

    Args:
        kafka: the cluster.
        pause_s: how long a paused broker is silent.
    """

    def __init__(self, kafka: EmbeddedKafka, pause_s: float) -> None:
        self._kafka = kafka
        self._pause_s = pause_s
        self._admin: Any = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})

    def pause(self, own: Platform) -> None:
        """SIGSTOP the leader of a partition of the scans for some time."""
        pid = self._kafka.brokers[self._leader(own.settings.kafka.topics().scans)].child.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(self._pause_s)
        finally:
            os.kill(pid, signal.SIGCONT)

    def move_leader(self, own: Platform) -> None:
        """Stop a leader cleanly, so that its partitions move; start it, and give it its partitions back."""
        number = self._leader(own.settings.kafka.topics().scans)
        self._kafka.brokers[number].stop()
        self._kafka.start_broker(number)
        self.await_in_sync(own)
        self._admin.elect_leaders(ElectionType.PREFERRED, None).result(60)

    def kill_coordinator(self, own: Platform) -> None:
        """kill -9 the leader of the `__consumer_offsets` partition that holds the workers' group; start it again."""
        number = self._leader("__consumer_offsets", _offsets_partition(own.settings.worker.group, self._admin))
        self.kill(number)

    def kill(self, number: int) -> None:
        """kill -9 a broker, counted from 0, and start it again."""
        self._kafka.kill_broker(number)
        self._kafka.start_broker(number)

    def await_in_sync(self, own: Platform) -> None:
        """Wait until every replica of the round's topics and of the offsets is in sync.

        Raises:
            TimeoutError: that took two minutes.
        """
        deadline = time.monotonic() + _RECOVER_S
        while not in_sync(self._admin, own.settings.kafka.topics().prefix):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a broker did not catch up; logs: {self._kafka.data_dir}")
            time.sleep(_POLL_S)

    def _leader(self, topic: str, partition: int = 0) -> int:
        leader: int = self._admin.list_topics(topic, timeout=30).topics[topic].partitions[partition].leader
        return leader - 1


def in_sync(admin: Any, prefix: str) -> bool:
    """Whether every replica of topics with a prefix, and of the committed offsets, is in sync."""
    found = admin.list_topics(timeout=30).topics
    return all(
        len(partition.isrs) == len(partition.replicas)
        for name, topic in found.items()
        if name.startswith((prefix, "__consumer_offsets"))
        for partition in topic.partitions.values()
    )


def broker_round(
    kafka: EmbeddedKafka,
    clickhouse: tuple[str, int],
    directory: Path,
    *,
    seed: int,
    acts: Sequence[str],
    pause_s: float = 30.0,
) -> Round:
    """One act after the other while scans come; how long the slowest partition stood still each time.

    Args:
        kafka: three brokers.
        clickhouse: the server; it stays up.
        directory: for logs.
        seed: of the load.
        acts: `pause`, `move_leader` and `kill_coordinator`.
        pause_s: see `Brokers`.
    """
    result = Round("broker of three: " + ", ".join(dict.fromkeys(acts)).replace("_", " "), seed)
    brokers = Brokers(kafka, pause_s)
    with platform(result, kafka.bootstrap_servers, clickhouse, directory, replicas=3) as own:
        worker = own.service("worker", "worker")
        worker.start()
        own.service("sink", "sink").start()
        with Trickle(own, _PER_SECOND), Standstill(own) as standstill:
            began = standstill.begin()
            own.wait_until(lambda: standstill.all_grew_since(began) and worker.is_ready(), START_S, "the worker")
            for act in acts:
                moment = standstill.begin()
                do: Callable[[Platform], None] = getattr(brokers, act)
                do(own)
                result.count(act.replace("_", " "))
                brokers.await_in_sync(own)
                moment = time.monotonic()
                own.wait_until(
                    lambda moment=moment: standstill.all_grew_since(moment),  # type: ignore[misc]
                    _RECOVER_S,
                    f"every partition to get on after {act}",
                )
                result.standstill_s.append(round(standstill.longest(), 2))
        own.settle()
        return own.judge()


def _offsets_partition(group: str, admin: Any) -> int:
    """Where a group's offsets lie: Java's hash of its name, modulo the partitions of the topic."""
    value = 0
    for character in group:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    count = len(admin.list_topics("__consumer_offsets", timeout=30).topics["__consumer_offsets"].partitions)
    signed = value - (1 << 32) if value >= 1 << 31 else value
    return int(abs(signed) % count)
