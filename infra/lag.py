"""How far a consumer group is behind, as the brokers see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.errors import RetryableError
from schemas.kafka import ClientConfig, consumer_config

_PASSING = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError._TIMED_OUT,
}
_PAUSE_S = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TopicEnd:
    """Where a topic's partitions begin and end: offsets by partition number."""

    earliest: dict[int, int]
    latest: dict[int, int]

    @property
    def records(self) -> int:
        """Offsets between the beginning and the end: the records, on a topic without compaction or transactions."""
        return sum(self.latest.values()) - sum(self.earliest.values())


def topic_ends(admin: AdminClient, topic: str, timeout: float = 10) -> TopicEnd:
    """First and next offsets of a topic.

    Raises:
        RetryableError: the brokers did not answer, or do not know the topic (yet).
    """
    try:
        found = admin.list_topics(topic, timeout=timeout).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        partitions = [TopicPartition(topic, number) for number in found.partitions]
        earliest = admin.list_offsets({one: OffsetSpec.earliest() for one in partitions}, request_timeout=timeout)  # type: ignore[no-untyped-call]
        latest = admin.list_offsets({one: OffsetSpec.latest() for one in partitions}, request_timeout=timeout)  # type: ignore[no-untyped-call]
        return TopicEnd(
            {partition.partition: future.result().offset for partition, future in earliest.items()},
            {partition.partition: future.result().offset for partition, future in latest.items()},
        )
    except KafkaException as error:
        raise RetryableError(f"the brokers did not say where {topic} ends: {error.args[0].str()}") from error


class GroupLag:
    """Asks the brokers how far a consumer group is behind; joins no group. A context manager.

    Through a consumer that never subscribes: the admin client's `list_consumer_group_offsets` crashes the process now
    and then while the group's coordinator is still loading (docs/upstream.md).

    Args:
        cluster: the brokers.
        group: the consumer group.
    """

    def __init__(self, cluster: ClientConfig, group: str) -> None:
        self._group = group
        self._consumer = Consumer({**consumer_config(cluster, group), "log_level": 2})
        self._closed = False

    def __enter__(self) -> GroupLag:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; harmless when called twice."""
        if not self._closed:
            self._closed = True
            self._consumer.close()

    def records(self, topics: Iterable[str], timeout: float = 10) -> dict[str, int]:
        """Records that the group has not committed yet, by topic.

        A partition that the group never committed counts from its beginning.

        Raises:
            RetryableError: the brokers did not answer within `timeout` seconds, or do not know a topic.
        """
        return self._asked(lambda: {topic: self._lag(topic, timeout) for topic in topics}, timeout)

    def committed(self, topic: str, timeout: float = 10) -> dict[int, int]:
        """The group's next offset in every partition of a topic; 0 where it committed none.

        Raises:
            RetryableError: as of `records`.
        """
        found = self._asked(lambda: self._positions(topic, timeout), timeout)
        return {position.partition: max(0, position.offset) for position in found}

    def _asked(self, question: Callable[[], T], timeout: float) -> T:
        """The answer, asked for again while the group's coordinator is not there yet."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return question()
            except KafkaException as error:
                if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                    raise RetryableError(
                        f"the brokers did not say what {self._group} committed: {error.args[0].str()}"
                    ) from error
            time.sleep(_PAUSE_S)

    def _positions(self, topic: str, timeout: float) -> list[TopicPartition]:
        found = self._consumer.list_topics(topic, timeout=timeout).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        positions = self._consumer.committed(
            [TopicPartition(topic, number) for number in found.partitions], timeout=timeout
        )
        for position in positions:
            if position.error is not None:
                raise KafkaException(position.error)
        return positions

    def _lag(self, topic: str, timeout: float) -> int:
        behind = 0
        for position in self._positions(topic, timeout):
            earliest, latest = self._consumer.get_watermark_offsets(position, timeout=timeout)
            behind += max(0, latest - max(position.offset, earliest))
        return behind
