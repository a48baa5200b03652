"""Reads a topic from its beginning to the end it has now; joins no group and commits nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import ConfigurationError, RetryableError
from schemas.kafka import ClientConfig, consumer_config

_TIMEOUT_S = 10.0
_SILENCE_S = 30.0
_POLL_S = 0.2


def read_to_end(cluster: ClientConfig, topic: str, starts: Mapping[int, int] | None = None) -> Iterator[Message]:
    """The committed records of a topic, in order within a partition.

    Args:
        cluster: the brokers.
        topic: its name.
        starts: first offset by partition number, and no other partitions; without it, all from the beginning.

    Raises:
        ConfigurationError: there is no such topic.
        RetryableError: the brokers do not answer, or stop answering.
    """
    consumer = Consumer(
        consumer_config(cluster, "venuecode-dead-letters", enable_partition_eof=True, isolation_level="read_committed")
    )
    try:
        left = _assign(consumer, topic, starts)
        silent = 0.0
        while left:
            found = consumer.consume(500, timeout=_POLL_S)
            silent = 0.0 if found else silent + _POLL_S
            if silent > _SILENCE_S:
                raise RetryableError(f"{topic} cannot be read: nothing came for {_SILENCE_S:.0f} s")
            for message in found:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
    except KafkaException as error:
        raise RetryableError(f"{topic} cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _assign(consumer: Consumer, topic: str, starts: Mapping[int, int] | None) -> set[int]:
    found = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    if found.error is not None:
        raise ConfigurationError(f"there is no topic {topic}: run `venuecode topics apply`")
    numbers = found.partitions if starts is None else starts
    positions = []
    for number in numbers:
        # Asking also makes the partition's leader known: without it the first fetch waits for half a second.
        earliest, _ = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_TIMEOUT_S)
        positions.append(TopicPartition(topic, number, max(earliest, starts[number]) if starts else earliest))
    consumer.assign(positions)
    return {position.partition for position in positions}
