"""The reader of the worker's compacted topics, and its way out for dead letters, over every kind of Kafka."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from producers.partitions import partition_of
from producers.publisher import Publisher
from schemas.dead_letter import DeadLetter
from schemas.kafka import consumer_config
from streams.follower import TopicFollower
from streams.messages import dead_letters
from streams.output import Output
from tests.support.clusters import PARTITIONS, Cluster
from tests.support.waiting import wait_until

TIMEOUT = 30.0


class Reader:
    """A follower that keeps the latest value of each key, as the worker's stores do."""

    def __init__(self, cluster: Cluster, topic: str, patience_s: float = 60) -> None:
        self.latest: dict[int, dict[bytes, bytes | None]] = defaultdict(dict)
        self.reported: dict[int, int] = {}
        self.caught_up: set[int] = set()
        self.before_caught_up: dict[int, int] = {}
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.values: list[bytes] = []
        self.fatal: list[str] = []
        self.lock = threading.Lock()
        self.mark = False
        self.follower = TopicFollower(
            cluster.config,
            cluster.prefix + "reader",
            topic,
            apply=self._apply,
            caught_up=self._caught_up,
            opened=self._opened,
            dropped=self._dropped,
            on_fatal=self.fatal.append,
            patience_s=patience_s,
        )

    def _apply(self, partition: int, records: list[Any], reported: int) -> None:
        with self.lock:
            self.reported[partition] = reported
            self.values += [record.value() for record in records]
            self.latest[partition].update((record.key(), record.value()) for record in records)
        if self.mark:
            self.follower.mark_reported(partition, records[-1].offset() + 1)

    def _opened(self, partition: int, low: int, high: int) -> int | None:
        self.latest[partition] = {}
        return self.starts.get(partition)

    def _caught_up(self, partition: int, next_offset: int) -> None:
        self.before_caught_up.setdefault(partition, len(self.latest[partition]))
        self.ends[partition] = next_offset
        self.caught_up.add(partition)

    def _dropped(self, partition: int) -> None:
        self.caught_up.discard(partition)
        self.latest.pop(partition)

    def all(self) -> dict[bytes, bytes | None]:
        with self.lock:
            return {key: value for part in list(self.latest.values()) for key, value in part.items()}


@contextmanager
def reading(cluster: Cluster, topic: str, *partitions: int) -> Iterator[Reader]:
    reader = Reader(cluster, topic)
    reader.follower.follow(partitions)
    reader.follower.start()
    try:
        yield reader
    finally:
        reader.follower.close()
    assert reader.fatal == []


def fill(cluster: Cluster, topic: str, *entries: tuple[bytes, bytes | None]) -> None:
    with Publisher(cluster.config) as publisher:
        for key, value in entries:
            publisher.publish(topic, key, value)


def test_a_reader_has_the_latest_of_every_key_when_it_is_caught_up_and_then_follows(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.statuses, {"cleanup.policy": "compact"} if cluster.compacts else None)
    keys = [b"person-%d" % number for number in range(400)]
    fill(cluster, topic, *((key, b"old") for key in keys), *((key, b"new") for key in keys), (keys[0], None))
    with reading(cluster, topic, *range(PARTITIONS)) as reader:
        wait_until(
            lambda: reader.fatal or len(reader.caught_up) == PARTITIONS, TIMEOUT, "all partitions to be caught up"
        )
        assert reader.fatal == []
        assert sum(reader.before_caught_up.values()) == len(keys), "caught up means that everything was there"
        assert reader.all() == {keys[0]: None, **dict.fromkeys(keys[1:], b"new")}
        fill(cluster, topic, (keys[1], b"newest"), (b"somebody else", b"first"))
        wait_until(lambda: reader.all().get(b"somebody else") == b"first", TIMEOUT, "the reader to follow")
        wait_until(lambda: reader.all()[keys[1]] == b"newest", TIMEOUT, "the reader to follow")


def test_a_reader_holds_only_its_partitions_and_reads_one_it_gets_again_from_the_beginning(cluster: Cluster) -> None:
    topic = cluster.topic()
    keys = [b"person-%d" % number for number in range(100)]
    fill(cluster, topic, *((key, b"1") for key in keys))
    with reading(cluster, topic, 0, 1) as reader:
        wait_until(lambda: reader.caught_up == {0, 1}, TIMEOUT, "two partitions to be caught up")
        assert set(reader.all()) == {key for key in keys if partition_of(key, PARTITIONS) in (0, 1)}
        reader.follower.follow((1, 2))
        wait_until(lambda: reader.caught_up == {1, 2}, TIMEOUT, "another partition to be caught up")
        assert set(reader.all()) == {key for key in keys if partition_of(key, PARTITIONS) in (1, 2)}
        reader.follower.follow((0,))
        wait_until(lambda: reader.caught_up == {0}, TIMEOUT, "the first partition to be read again")
        assert set(reader.all()) == {key for key in keys if partition_of(key, PARTITIONS) == 0}


def test_a_reader_begins_where_it_is_told_to_and_says_how_much_it_has_to_read(cluster: Cluster) -> None:
    topic = cluster.topic()
    key = b"somebody"
    number = partition_of(key, PARTITIONS)
    fill(cluster, topic, *((key, b"%d" % value) for value in range(10)))
    with reading(cluster, topic) as reader:
        reader.starts[number] = 7
        reader.lock.acquire()
        try:
            reader.follower.follow((number,))
            wait_until(lambda: reader.follower.behind() == {number: 3}, TIMEOUT, "the reader to say what is left")
        finally:
            reader.lock.release()
        wait_until(lambda: number in reader.caught_up, TIMEOUT, "the partition to be caught up")
        assert reader.values == [b"7", b"8", b"9"]
        assert reader.ends == {number: 10}
        wait_until(lambda: reader.follower.behind() == {}, TIMEOUT, "nothing to be left")


def test_a_reader_that_does_not_get_to_the_end_in_time_gives_up_loudly(cluster: Cluster) -> None:
    topic = cluster.topic()
    fill(cluster, topic, (b"somebody", b"1"))
    reader = Reader(cluster, topic, patience_s=0)
    reader.follower.follow((0,))
    reader.follower.start()
    try:
        wait_until(lambda: reader.fatal, TIMEOUT, "the reader to give up")
    finally:
        reader.follower.close()
    assert "partition 0 was not read to its end within 0 s" in reader.fatal[0]


def test_what_was_reported_is_remembered_by_the_next_reader(cluster: Cluster) -> None:
    topic = cluster.topic()
    key = b"somebody"
    number = partition_of(key, PARTITIONS)
    fill(cluster, topic, (key, b"1"), (key, b"2"))
    with reading(cluster, topic) as reader:
        reader.mark = True
        reader.follower.follow((number,))
        wait_until(lambda: number in reader.caught_up, TIMEOUT, "the partition to be caught up")
        assert reader.reported == {number: 0}
    with reading(cluster, topic, number) as again:
        wait_until(lambda: number in again.caught_up, TIMEOUT, "the partition to be caught up again")
        assert again.reported == {number: 2}
        assert again.all() == {key: b"2"}


def test_a_dead_letter_of_the_worker_is_acknowledged_and_survives_byte_for_byte(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.dead_letters)
    letter = DeadLetter(None, bytes(range(256)), cluster.topics.scans, 2, 7, "not_json", "2026-01-01T00:00:00Z")
    large = DeadLetter(b"k", b"x" * 2_000_000, cluster.topics.scans, 2, 8, "too_large", "2026-01-01T00:00:01Z")
    fatal: list[str] = []
    output = Output(cluster.config, topic, fatal.append)
    try:
        output.submit([dead_letters(topic, [letter, large])]).result(TIMEOUT)
    finally:
        output.close()
    assert fatal == []
    with closing(Consumer(consumer_config(cluster.config, cluster.prefix + "dead"))) as consumer:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        found: list[Any] = []

        def both_came() -> bool:
            found.extend(consumer.consume(2, 0.2))
            return len(found) == 2

        wait_until(both_came, TIMEOUT, "two dead letters")
    read = [DeadLetter.from_message(message.key(), message.value(), message.headers()) for message in found]
    assert sorted(read, key=lambda each: each.source_offset) == [letter, large]
