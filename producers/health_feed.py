"""The health-code authority's feed: statuses from NDJSON onto the compacted topic, and one person's latest from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from producers.partitions import partition_of
from producers.publisher import Publisher
from schemas.errors import RejectError, RetryableError
from schemas.fast import FastDecoder, encode
from schemas.health import HealthStatus
from schemas.kafka import ClientConfig, consumer_config

_SLICE: Final = 2_000
_POLL: Final = 500
_MAY_PASS: Final = frozenset((KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN))

_DECODER: Final = FastDecoder(HealthStatus)

OnReject = Callable[[int, str, bytes], None]
OnProgress = Callable[[int, int], None]


@dataclass(slots=True)
class FeedReport:
    """What became of a feed: counts of lines. Empty lines count as nothing."""

    published: int = 0
    rejected: int = 0


def load_statuses(
    lines: Iterable[bytes],
    publisher: Publisher,
    topic: str,
    *,
    on_reject: OnReject = lambda number, reason, line: None,
    on_progress: OnProgress = lambda published, rejected: None,
) -> FeedReport:
    """Publish `HealthStatus` records, one JSON object a line, in the order of the lines.

    Loading the same lines twice leaves the same latest status of everybody. When it returns, Kafka has acknowledged
    every published record.

    Args:
        lines: with or without their line breaks.
        publisher: an entered publisher.
        topic: the compacted topic of the statuses.
        on_reject: called with the line's number (from 1), the reason and the line, for a line that holds no status.
        on_progress: called with the counts so far, after every few thousand lines.

    Raises:
        RetryableError, FatalError: not everything was delivered; load the lines again.
    """
    report = FeedReport()
    numbered = ((number, line) for number, raw in enumerate(lines, 1) if (line := raw.strip()))
    while part := list(islice(numbered, _SLICE)):
        records: list[HealthStatus] = []
        for number, line in part:
            try:
                records.append(_DECODER.decode(line))
            except RejectError as error:
                report.rejected += 1
                on_reject(number, str(error), line)
        publisher.publish_batch(
            topic, [record.person_token.encode() for record in records], [encode(record) for record in records]
        )
        report.published += len(records)
        on_progress(report.published, report.rejected)
    publisher.flush()
    return report


@dataclass(frozen=True, slots=True)
class FoundStatus:
    """A person's status and where it lies."""

    status: HealthStatus
    partition: int
    offset: int


def find_status(cluster: ClientConfig, topic: str, token: str, timeout: float = 60) -> FoundStatus | None:
    """A person's latest status, read from their partition up to its end of now; None when there is none, or no more.

    Latest as the worker has it: a status of an older version than the one before changes nothing, nor does a record
    that is no status; after a tombstone any version counts. Reads the whole partition: for a look now and then.

    Args:
        token: the person's token.
        timeout: seconds for the whole reading.

    Raises:
        RetryableError: the brokers did not answer in time, or there is no such topic.
    """
    key = token.encode()
    deadline = time.monotonic() + timeout
    # The group is a name the client must have; it is neither joined nor committed to.
    consumer = Consumer(
        {**consumer_config(cluster, "venuecode-status-show", enable_partition_eof=True), "log_level": 2}
    )
    try:
        place = TopicPartition(topic, partition_of(key, _partition_count(consumer, topic, timeout)))
        found: FoundStatus | None = None
        for message in _messages(consumer, place, deadline):
            if message.key() == key:
                found = _followed_by(found, message)
    except KafkaException as error:
        raise RetryableError(f"{topic} could not be read: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return found


def _followed_by(found: FoundStatus | None, message: Any) -> FoundStatus | None:
    """What holds after a further record of the same person."""
    if message.value() is None:
        return None
    try:
        status = _DECODER.decode(message.value())
    except RejectError:
        return found
    if found is not None and status.version < found.status.version:
        return found
    return FoundStatus(status, message.partition(), message.offset())


def _partition_count(consumer: Any, topic: str, timeout: float) -> int:
    # All topics rather than this one: asking for one that is missing makes some clusters create it.
    found = consumer.list_topics(timeout=timeout).topics.get(topic)
    if found is None or not found.partitions:
        raise RetryableError(f"there is no topic {topic}; create it with: venuecode topics apply")
    return len(found.partitions)


def _messages(consumer: Any, place: TopicPartition, deadline: float) -> Iterator[Any]:
    """Everything in a partition up to its high watermark of now."""
    low, high = consumer.get_watermark_offsets(place, timeout=max(0.1, deadline - time.monotonic()))
    place.offset = low
    consumer.assign([place])
    position = low
    while position < high:
        if time.monotonic() > deadline:
            raise RetryableError(f"partition {place.partition} of {place.topic} was not read to its end in time")
        for message in consumer.consume(_POLL, timeout=0.2):
            problem = message.error()
            if problem is None:
                position = message.offset() + 1
                if position <= high:
                    yield message
            elif problem.code() == KafkaError._PARTITION_EOF:
                return  # the last offsets below the watermark may hold no record: compacted away, or of a transaction
            elif not problem.retriable() and problem.code() not in _MAY_PASS:
                raise KafkaException(problem)
