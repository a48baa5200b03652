"""What of an import is already on the topic: read back from the topic itself."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import FatalError, RetryableError
from schemas.kafka import ClientConfig, consumer_config

_TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.1
_PASSING: Final = frozenset((KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE))


class _Origin(msgspec.Struct):
    scan_id: str
    gateway: str


_DECODER: Final = msgspec.json.Decoder(_Origin)


class TopicReader:
    """Looks at a topic without belonging to any group.

    Args:
        cluster: the brokers.
        topic: to look at.
    """

    def __init__(self, cluster: ClientConfig, topic: str) -> None:
        self._cluster = cluster
        self._topic = topic

    def _consumer(self) -> Any:
        return Consumer(consumer_config(self._cluster, "venuecode-import-readback", enable_partition_eof=True))

    def cluster_id(self) -> str:
        """Of the cluster; another one remembers nothing of what went to this.

        Raises:
            RetryableError: the brokers do not answer.
        """
        consumer = self._consumer()
        try:
            return str(consumer.list_topics(self._topic, timeout=_TIMEOUT_S).cluster_id)
        except KafkaException as error:
            raise RetryableError(f"no Kafka broker answered: {error.args[0].str()}") from None
        finally:
            consumer.close()

    def ends(self) -> dict[int, int]:
        """Per partition, the offset that the next record will get.

        Raises:
            FatalError: there is no such topic.
            RetryableError: the brokers do not answer.
        """
        deadline = time.monotonic() + _TIMEOUT_S
        consumer = self._consumer()
        try:
            while True:
                try:
                    return self._ends(consumer)
                except KafkaException as error:
                    # A topic that was just made, or whose leader just moved, answers so for a moment.
                    passing = error.args[0].code() in _PASSING and time.monotonic() < deadline
                    if not passing:
                        raise RetryableError(f"cannot look at topic {self._topic}: {error.args[0].str()}") from None
                    time.sleep(_PAUSE_S)
        finally:
            consumer.close()

    def _ends(self, consumer: Any) -> dict[int, int]:
        metadata = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics[self._topic]
        if metadata.error is not None and metadata.error.code() in _PASSING:
            raise KafkaException(metadata.error)
        if metadata.error is not None or not metadata.partitions:
            raise FatalError(f"there is no topic {self._topic}; make the topics first: venuecode topics apply")
        return {
            number: consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=_TIMEOUT_S)[1]
            for number in metadata.partitions
        }

    def scan_ids(self, begin: Mapping[int, int], gateway: str) -> Counter[str]:
        """How often each scan of a gateway lies on the topic, from the given offsets to the present end.

        Raises:
            RetryableError: the brokers do not answer, or stop answering.
        """
        ends = self.ends()
        waiting = {number for number, end in ends.items() if begin.get(number, 0) < end}
        found: Counter[str] = Counter()
        if not waiting:
            return found
        mark = f'"gateway":{json.dumps(gateway)}'.encode()
        consumer = self._consumer()
        try:
            consumer.assign([TopicPartition(self._topic, number, begin.get(number, 0)) for number in waiting])
            deadline = time.monotonic() + _TIMEOUT_S
            while waiting:
                messages = consumer.consume(500, timeout=0.1)
                if messages:
                    deadline = time.monotonic() + _TIMEOUT_S
                elif time.monotonic() > deadline:
                    raise RetryableError(f"topic {self._topic} could not be read back to its end")
                for message in messages:
                    problem = message.error()
                    if problem is not None:
                        if problem.code() != KafkaError._PARTITION_EOF:
                            raise RetryableError(f"cannot read topic {self._topic} back: {problem.str()}")
                        waiting.discard(message.partition())
                        continue
                    value = message.value()
                    if value is not None and mark in value and (scan_id := _scan_of(value, gateway)) is not None:
                        found[scan_id] += 1
                    if message.offset() + 1 >= ends[message.partition()]:
                        waiting.discard(message.partition())
        finally:
            consumer.close()
        return found


def _scan_of(value: bytes, gateway: str) -> str | None:
    """The scan id in a record, when the record is a scan of this gateway."""
    try:
        origin = _DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return origin.scan_id if origin.gateway == gateway else None
