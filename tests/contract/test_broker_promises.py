"""What the broker-facing parts promise, over every kind of Kafka."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import Consumer, TopicPartition

from producers.partitions import partition_of
from producers.publisher import Publisher
from schemas.dead_letter import DeadLetter
from schemas.kafka import consumer_config
from tests.support.clusters import PARTITIONS, Cluster
from tests.support.waiting import wait_until

KEYS = [b"", *(random.Random(7).randbytes(length) for length in range(1, 33)), "场所码".encode()]
TIMEOUT = 30.0


@contextmanager
def reader(cluster: Cluster, group: str, topic: str) -> Iterator[Any]:
    """A member of a group, closed afterwards."""
    config = consumer_config(cluster.config, cluster.prefix + group, session_timeout_ms=6000, heartbeat_interval_ms=200)
    with closing(Consumer(config)) as consumer:
        consumer.subscribe([topic])
        yield consumer


def take(consumer: Any, count: int) -> list[Any]:
    """The next records, as many as asked for."""
    found: list[Any] = []
    deadline = time.monotonic() + TIMEOUT
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} records came"
        for message in consumer.consume(count - len(found), timeout=0.2):
            assert message.error() is None, message.error()
            found.append(message)
    return found


def read_all(cluster: Cluster, topic: str, count: int) -> list[Any]:
    """All records of a topic, without a group."""
    config = consumer_config(cluster.config, cluster.prefix + "all")
    with closing(Consumer(config)) as consumer:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        found = take(consumer, count)
        assert not [message for message in consumer.consume(1, timeout=0.3) if message.error() is None], "one too many"
        return found


def test_all_writers_put_a_key_into_the_same_partition(cluster: Cluster) -> None:
    ours, theirs = cluster.topic("ours"), cluster.topic("theirs")
    with Publisher(cluster.config) as publisher:
        publisher.publish_batch(ours, KEYS, KEYS)

    async def by_aiokafka() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers)
        await producer.start()
        try:
            for key in KEYS:
                await producer.send_and_wait(theirs, key=key, value=key)
        finally:
            await producer.stop()

    asyncio.run(by_aiokafka())
    expected = {key: partition_of(key, PARTITIONS) for key in KEYS}
    partitions = list(range(PARTITIONS))
    assert {key: DefaultPartitioner()(key, partitions, partitions) for key in KEYS} == expected
    assert len(set(expected.values())) == PARTITIONS
    for topic in (ours, theirs):
        assert {message.value(): message.partition() for message in read_all(cluster, topic, len(KEYS))} == expected


def test_the_publisher_delivers_each_record_once_and_in_order_per_key(cluster: Cluster) -> None:
    topic = cluster.topic()
    keys = [b"key-%d" % (number % 17) for number in range(3_000)]
    values = [b"%d" % number for number in range(3_000)]
    with Publisher(cluster.config) as publisher:
        publisher.publish_batch(topic, keys[:2_000], values[:2_000])
        for key, value in zip(keys[2_000:], values[2_000:], strict=True):
            publisher.publish(topic, key, value)
    by_key: dict[bytes, list[int]] = defaultdict(list)
    for message in read_all(cluster, topic, 3_000):
        by_key[message.key()].append(int(message.value()))
    assert by_key == {b"key-%d" % number: list(range(number, 3_000, 17)) for number in range(17)}


def test_headers_null_values_and_null_keys_survive(cluster: Cluster) -> None:
    topic = cluster.topic()
    headers = [("a", b"\x00\xff"), ("a", b""), ("b", "名".encode())]
    with Publisher(cluster.config) as publisher:
        publisher.publish(topic, b"tombstone", None, headers)
        publisher.publish(topic, None, b"")
    found = {message.key(): (message.value(), message.headers()) for message in read_all(cluster, topic, 2)}
    assert found[b"tombstone"] == (None, headers)
    assert found[None][0] == b""


def test_a_dead_letter_survives_the_way_over_its_topic(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.dead_letters)
    letters = [
        DeadLetter(b"k", b'{"broken', cluster.topics.scans, 3, 2**40, "not_json", "2026-01-01T00:00:00Z"),
        DeadLetter(None, None, cluster.topics.statuses, 0, 0, "null_value", "2026-01-01T00:00:01Z"),
        DeadLetter(b"\xff" * 40, bytes(range(256)), "other", 1, 7, "bad_utf8", "2026-01-01T00:00:02Z"),
    ]
    with Publisher(cluster.config) as publisher:
        for letter in letters:
            publisher.publish(topic, letter.key, letter.value, letter.headers())
    found = [
        DeadLetter.from_message(message.key(), message.value(), message.headers())
        for message in read_all(cluster, topic, len(letters))
    ]
    assert sorted(found, key=lambda letter: letter.failed_at) == letters


def test_a_group_resumes_after_what_it_committed_and_reads_the_rest_again(cluster: Cluster) -> None:
    cluster.needs("hands_over")
    topic = cluster.topic()
    with Publisher(cluster.config) as publisher:
        publisher.publish_batch(topic, [b"same key"] * 10, [b"%d" % number for number in range(10)])
    with reader(cluster, "group", topic) as first:
        messages = take(first, 10)
        assert [message.value() for message in messages] == [b"%d" % number for number in range(10)]
        first.commit(message=messages[3], asynchronous=False)
    with reader(cluster, "group", topic) as second:
        assert [message.value() for message in take(second, 6)] == [b"%d" % number for number in range(4, 10)]


def test_two_consumers_of_a_group_share_the_partitions_and_one_takes_over_from_the_other(cluster: Cluster) -> None:
    cluster.needs("hands_over")
    topic = cluster.topic()

    def owned(*consumers: Any) -> Callable[[], bool]:
        def all_shared() -> bool:
            for consumer in consumers:
                consumer.poll(0.05)
            parts = [{place.partition for place in consumer.assignment()} for consumer in consumers]
            return all(parts) and sorted(chain(*parts)) == list(range(PARTITIONS))

        return all_shared

    with reader(cluster, "group", topic) as first:
        wait_until(owned(first), TIMEOUT, "the only member to own all partitions")
        with reader(cluster, "group", topic) as second:
            wait_until(owned(first, second), TIMEOUT, "two members to share the partitions")
        wait_until(owned(first), TIMEOUT, "the remaining member to own all partitions again")


def test_a_record_larger_than_the_limit_for_records_still_arrives_to_be_rejected(cluster: Cluster) -> None:
    topic = cluster.topic("large", {"max.message.bytes": str(4 * 1024 * 1024)})
    value = random.Random(1).randbytes(2_000_000)
    with Publisher(cluster.config) as publisher:
        publisher.publish(topic, b"k", value)
    assert read_all(cluster, topic, 1)[0].value() == value


@pytest.mark.parametrize("count", [0, 1])
def test_publishing_nothing_or_little_is_no_special_case(cluster: Cluster, count: int) -> None:
    topic = cluster.topic()
    with Publisher(cluster.config) as publisher:
        publisher.publish_batch(topic, [b"k"] * count, [b"v"] * count)
    assert len(read_all(cluster, topic, count)) == count
