"""Follows a compacted topic from its beginning: first up to its end, then live. A thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from itertools import groupby
from operator import methodcaller
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.kafka import ClientConfig, consumer_config

_ROWS: Final = 2000
_PARTITION: Final = methodcaller("partition")
_WAIT_S: Final = 0.05
_TIMEOUT_S: Final = 10.0
_SOON: Final = frozenset(
    (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._WAIT_COORD,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError._TIMED_OUT,
    )
)

Records = list[Any]
"""confluent-kafka messages of one partition, in the order of their offsets."""


class TopicFollower:
    """Reads partitions of a compacted topic, given by number, without being a member of any group.

    `apply(partition, records, reported)` is called for records in order; `reported` is the offset up to which an
    earlier reader has reported what was bad (`mark_reported`), so that reading from the beginning again does not report
    it again. `caught_up(partition)` is called every time the end of a partition is reached, first of all the end that
    it had when it was given. `opened` and `dropped` are called before the first record of a partition and after its
    last. All run in this object's thread; an exception in one goes to `on_fatal`.

    Args:
        cluster: where the brokers are.
        group: only remembers what was reported, as its committed offsets.
        topic: the compacted topic.
    """

    def __init__(
        self,
        cluster: ClientConfig,
        group: str,
        topic: str,
        *,
        apply: Callable[[int, Records, int], None],
        caught_up: Callable[[int], None],
        opened: Callable[[int], None],
        dropped: Callable[[int], None],
        on_fatal: Callable[[str], None],
    ) -> None:
        self._topic = topic
        self._apply, self._caught_up, self._opened, self._dropped = apply, caught_up, opened, dropped
        self._on_fatal = on_fatal
        self._consumer: Any = Consumer(consumer_config(cluster, group, enable_partition_eof=True))
        self._lock = threading.Lock()
        self._wanted: frozenset[int] = frozenset()
        self._held: set[int] = set()
        self._reported: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow {topic}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait until the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def follow(self, partitions: Collection[int]) -> None:
        """Hold exactly these partitions from now on; takes effect soon. May be called from any thread.

        When it returns, a partition given now is not being dropped for an earlier call any more.
        """
        with self._lock:
            self._wanted = frozenset(partitions)

    def mark_reported(self, partition: int, next_offset: int) -> None:
        """Everything bad before `next_offset` was reported, lastingly. To be called from within `apply`.

        Raises:
            KafkaException: the brokers did not take it.
        """
        self._reported[partition] = next_offset
        self._consumer.commit(offsets=[TopicPartition(self._topic, partition, next_offset)], asynchronous=False)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._leave()
                self._join()
                self._read()
        except Exception as error:
            self._on_fatal(f"following {self._topic} failed: {error}")
        finally:
            self._consumer.close()

    def _leave(self) -> None:
        with self._lock:
            leaving = self._held - self._wanted
            if leaving:
                self._consumer.incremental_unassign([TopicPartition(self._topic, number) for number in leaving])
                self._held -= leaving
            for number in leaving:
                self._dropped(number)

    def _join(self) -> None:
        coming = self._wanted - self._held
        if not coming:
            return
        places = [TopicPartition(self._topic, number) for number in coming]
        try:
            committed = self._consumer.committed(places, timeout=_TIMEOUT_S)
            for place in places:
                # Asking first makes the partition's leader known: else librdkafka waits half a second to a second.
                place.offset, _ = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() in _SOON:
                return  # a fresh cluster has no coordinators and leaders for a moment: the next round asks again
            raise
        for found in committed:
            self._reported[found.partition] = max(found.offset, 0)
        for number in coming:
            self._opened(number)
        self._consumer.incremental_assign(places)
        self._held |= coming

    def _read(self) -> None:
        ended: list[int] = []
        for partition, messages in groupby(self._consumer.consume(_ROWS, _WAIT_S), _PARTITION):
            found: Records = []
            for message in messages:
                error = message.error()
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.append(partition)
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
            if found and partition in self._held:
                self._apply(partition, found, self._reported[partition])
        for partition in ended:
            if partition in self._held:
                self._caught_up(partition)
