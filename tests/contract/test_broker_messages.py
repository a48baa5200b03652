"""Records with headers, produced in one go: they arrive byte for byte, and what is acknowledged is counted exactly."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from producers.partitions import partition_of
from schemas.errors import FatalError
from schemas.kafka import consumer_config, producer_config
from streams.message_producer import MessageProducer
from streams.messages import Messages
from tests.support.clusters import PARTITIONS, Cluster
from tests.support.waiting import wait_until

TIMEOUT = 30
KEYS = [None, b"", b"140105", "站".encode(), bytes(range(256)), b"140105"]
VALUES = [b"\x00\n", None, b"", b"x" * 1_500_000, None, bytes(range(255, -1, -1))]
HEADERS = {"one": [b"1", b"", b"\x00", "二".encode(), b"5" * 1000, b"6"], "another": [b"%d" % n for n in range(6)]}


@contextmanager
def producing(cluster: Cluster) -> Iterator[MessageProducer]:
    with closing(MessageProducer(producer_config(cluster.config, linger_ms=1))) as producer:
        yield producer


def acknowledged(producer: MessageProducer, count: int) -> Counter[int]:
    found: Counter[int] = Counter()

    def all_there() -> bool:
        producer.poll(50)
        found.update(producer.acknowledged())
        return found.total() >= count

    wait_until(all_there, TIMEOUT, "everything to be acknowledged")
    return found


def read(cluster: Cluster, topic: str, count: int) -> list[Any]:
    found: list[Any] = []
    with closing(Consumer(consumer_config(cluster.config, cluster.prefix + "read"))) as consumer:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])

        def all_came() -> bool:
            found.extend(message for message in consumer.consume(count, 0.2) if message.error() is None)
            return len(found) >= count

        wait_until(all_came, TIMEOUT, f"{count} records")
    return found


def test_keys_values_and_headers_arrive_byte_for_byte_null_and_empty_apart(cluster: Cluster) -> None:
    topic = cluster.topic()
    with producing(cluster) as producer:
        producer.produce(Messages(topic, KEYS, VALUES, HEADERS), 7)
        assert acknowledged(producer, len(KEYS)) == {7: len(KEYS)}
    found = {int(dict(message.headers())["another"]): message for message in read(cluster, topic, len(KEYS))}
    assert [(found[n].key(), found[n].value(), found[n].headers()) for n in range(len(KEYS))] == [
        (key, value, [(name, column[n]) for name, column in HEADERS.items()])
        for n, (key, value) in enumerate(zip(KEYS, VALUES, strict=True))
    ]
    assert [found[n].partition() for n, key in enumerate(KEYS) if key] == [
        partition_of(key, PARTITIONS) for key in KEYS if key
    ]


def test_what_is_acknowledged_is_counted_by_its_number_from_all_partitions_and_threads(cluster: Cluster) -> None:
    topic = cluster.topic()
    keys = [b"%d" % number for number in range(50)]
    with producing(cluster) as producer:

        def produce(first: int) -> None:
            for number in range(first, first + 20):
                producer.produce(Messages(topic, keys, keys), number)

        threads = [threading.Thread(target=produce, args=(first,)) for first in (1, 101, 2**40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = acknowledged(producer, 3 * 20 * len(keys))
        assert counts == {first + n: len(keys) for first in (1, 101, 2**40) for n in range(20)}
        assert producer.acknowledged() == {}
    per_partition: dict[int, list[bytes]] = {}
    for message in read(cluster, topic, 3 * 20 * len(keys)):
        per_partition.setdefault(message.partition(), []).append(message.key())
    assert len(per_partition) == PARTITIONS


def test_a_record_that_is_refused_is_an_error_that_says_nothing_of_its_content(cluster: Cluster) -> None:
    topic = cluster.topic()
    config = producer_config(cluster.config, message_max_bytes=1000)
    with closing(MessageProducer(config)) as producer, pytest.raises(FatalError, match="was refused") as raised:
        producer.produce(Messages(topic, [b"secret"], [b"secret" * 1000]), 1)
    assert topic in str(raised.value)
    assert "secret" not in str(raised.value)


def test_columns_of_different_lengths_are_an_error_before_anything_is_produced(cluster: Cluster) -> None:
    with producing(cluster) as producer:
        with pytest.raises(FatalError, match="differ in length"):
            producer.produce(Messages("topic", [b"1"], [b"1"], {"h": []}), 1)
        producer.poll(0)
        assert producer.acknowledged() == {}
