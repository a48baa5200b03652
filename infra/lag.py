"""How far a consumer group is behind, as the brokers see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.errors import RetryableError


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


def committed_offsets(admin: AdminClient, group: str, timeout: float = 10) -> dict[tuple[str, int], int]:
    """A consumer group's committed offsets, by topic and partition; empty for a group nobody has heard of.

    Raises:
        RetryableError: the brokers did not answer.
    """
    try:
        request = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=timeout)
        answer = request[group].result()
    except KafkaException as error:
        raise RetryableError(f"the brokers did not say what {group} committed: {error.args[0].str()}") from error
    return {(found.topic, found.partition): found.offset for found in answer.topic_partitions if found.offset >= 0}


def group_lag(admin: AdminClient, group: str, topics: Iterable[str], timeout: float = 10) -> dict[str, int]:
    """Records that a group has not committed yet, by topic.

    A partition that the group never committed counts from its beginning.

    Raises:
        RetryableError: the brokers did not answer, or do not know a topic.
    """
    committed = committed_offsets(admin, group, timeout)
    lag: dict[str, int] = {}
    for topic in topics:
        ends = topic_ends(admin, topic, timeout)
        lag[topic] = sum(
            max(0, latest - max(committed.get((topic, partition), 0), ends.earliest[partition]))
            for partition, latest in ends.latest.items()
        )
    return lag
