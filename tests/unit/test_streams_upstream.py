"""Faults of Faust, aiokafka and librdkafka that we work around: that they are there, and that we have none.

One that is gone makes its test here fail: then docs/upstream.md and the workaround are to be looked at again.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer
from faust.transport.consumer import Consumer
from faust.types import TP

from infra.bench.usage import cpu_seconds
from schemas.kafka import ClientConfig
from streams.batch_producer import BatchProducer, Records
from streams.batching.app import BatchApp
from streams.batching.batch import Place
from streams.batching.transport import BatchConsumerThread, Batching
from tests.support.waiting import wait_until

TOPIC = "scans"
HERE = TP(TOPIC, 0)
BROKER = "kafka://127.0.0.1:1"


class Consumers:
    """Consumers of applications that are never connected or started."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._made: list[Any] = []

    def upstream(self) -> Any:
        """As Faust makes it."""
        return self._keep(faust.App("plain", broker=BROKER, loop=self.loop))

    def ours(self) -> tuple[Any, Batching]:
        """As our application makes it, and what it was told."""
        batching = Batching(frozenset({TOPIC}), {"bootstrap.servers": "127.0.0.1:1"}, pytest.fail)
        return self._keep(BatchApp("group", batching, broker=BROKER, loop=self.loop)), batching

    def _keep(self, app: Any) -> Any:
        self._made.append(app.consumer)
        return app.consumer

    def close(self) -> None:
        for consumer in self._made:
            consumer._thread.thread_loop.close()


@pytest.fixture
def consumers() -> Iterator[Consumers]:
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        made = Consumers(runner.get_loop())
        yield made
        made.close()
        asyncio.set_event_loop(None)


def test_upstream_commits_past_the_unacked_record_behind_a_gap(consumers: Consumers) -> None:
    consumer = consumers.upstream()
    # Records 10, 20 and 21 were read, 11 to 19 do not exist. Upstream takes note of the gap as it reads 20.
    consumers.loop.run_until_complete(consumer._add_gap(HERE, 11, 20))
    consumer._acked[HERE] = [10, 21]
    consumer._acked_index[HERE] = {10, 21}
    assert consumer._new_offset(HERE) == 22, "upstream commits past 20, which nobody has finished"


def test_ours_waits_for_the_record_behind_a_gap(consumers: Consumers) -> None:
    consumer, batching = consumers.ours()
    first, second, third = (batching.ledger.fetched(Place(*HERE), offset, offset) for offset in (10, 20, 21))
    batching.ledger.done(first)
    batching.ledger.done(third)
    assert consumer._new_offset(HERE) == 11
    batching.ledger.done(second)
    assert consumer._new_offset(HERE) == 22


def test_ours_commits_nothing_because_faust_acked_it(consumers: Consumers) -> None:
    consumer, batching = consumers.ours()
    ticket = batching.ledger.fetched(Place(*HERE), 0, 99)
    # Streams ack what they skip, and what an agent choked on.
    consumer._acked[HERE] = [99]
    consumer._acked_index[HERE] = {99}
    assert consumer._new_offset(HERE) is None
    batching.ledger.done(ticket)
    assert consumer._new_offset(HERE) == 100


def test_upstream_forgets_the_acks_of_a_revoked_partition_before_its_last_commit() -> None:
    source = inspect.getsource(Consumer.on_partitions_revoked)
    assert source.index("self._acked.pop(tp, None)") < source.index("self._on_partitions_revoked")


def test_ours_still_commits_a_revoked_partition_whose_acks_are_forgotten(consumers: Consumers) -> None:
    consumer, batching = consumers.ours()
    batching.ledger.done(batching.ledger.fetched(Place(*HERE), 0, 99))
    consumer._acked.pop(HERE, None)
    assert list(consumer._filter_tps_with_pending_acks()) == [HERE]
    assert consumer._filter_committable_offsets([HERE]) == {HERE: 100}


class _SlowCommits:
    """In the place of a consumer's commits: each takes until it is told to end."""

    def __init__(self, consumer: Any) -> None:
        self.began, self.ended, self.may_end = 0, 0, asyncio.Event()
        consumer.force_commit = self._commit

    async def _commit(self, *_: Any, **__: Any) -> bool:
        assert self.began == self.ended, "two commits at once"
        self.began += 1
        await self.may_end.wait()
        self.ended += 1
        return True


def _commits_when_the_last_is_asked_for_during_another(consumer: Any, loop: asyncio.AbstractEventLoop) -> int:
    async def both() -> int:
        commits = _SlowCommits(consumer)
        periodic = asyncio.create_task(consumer.commit())
        await asyncio.sleep(0)
        last = asyncio.create_task(consumer.commit_and_end_transactions())
        await asyncio.sleep(0)
        assert commits.began == 1
        commits.may_end.set()
        await asyncio.gather(periodic, last)
        return commits.ended

    return loop.run_until_complete(both())


def test_upstream_leaves_out_the_last_commit_while_another_is_under_way(consumers: Consumers) -> None:
    # What was finished since the other one began is then done again by whoever is given the partition.
    assert _commits_when_the_last_is_asked_for_during_another(consumers.upstream(), consumers.loop) == 1


def test_ours_makes_the_last_commit_after_the_one_that_was_under_way(consumers: Consumers) -> None:
    consumer, _ = consumers.ours()
    assert _commits_when_the_last_is_asked_for_during_another(consumer, consumers.loop) == 2


class _StubConsumer:
    """An aiokafka consumer that owns one partition without a committed offset, and remembers what was done to it."""

    def __init__(self) -> None:
        self.moved: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self._subscription = self
        self._fetcher = self

    def assigned_partitions(self) -> frozenset[TopicPartition]:
        return frozenset({TopicPartition(TOPIC, 0)})

    assignment = assigned_partitions

    async def committed(self, _partition: TopicPartition) -> int | None:
        return None

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 5)

    def seek_to(self, partition: TopicPartition, offset: int) -> None:
        self.moved[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused.update(partitions)


def test_upstream_does_not_move_back_a_partition_without_a_committed_offset() -> None:
    stub: Any = _StubConsumer()
    asyncio.run(AIOKafkaConsumer.seek_to_committed(stub))
    assert stub.moved == {}, "what was drained and thrown away in a rebalance is not read again"


def test_ours_says_of_every_partition_where_it_is_to_be_read_from_and_leaves_the_reading_to_the_source() -> None:
    stub = _StubConsumer()
    thread = object.__new__(BatchConsumerThread)
    thread._consumer = stub
    assert asyncio.run(thread._committed_or_first()) == {HERE: 5}
    assert stub.paused == {TopicPartition(TOPIC, 0)}


def test_upstream_cannot_make_tls_credentials_by_itself() -> None:
    with pytest.raises(TypeError):
        faust.SSLCredentials()


def _sending_threads_cpu_s() -> float:
    """What the threads of librdkafka that send have taken of this process's CPU time until now."""
    return sum(
        cpu_seconds(os.getpid(), int(task.name))
        for task in Path("/proc/self/task").iterdir()
        if (task / "comm").read_text().startswith("rdk:broker")
    )


def _share_of_a_core_while_an_answer_is_awaited(produce: Callable[[], object], waiting: Callable[[], bool]) -> float:
    """Of the sending threads, while one request of a partition is under way and another one's records are there.

    Args:
        produce: takes over what is more than a request for one partition.
        waiting: whether anything was not acknowledged yet.
    """
    produce()
    wait_until(lambda: not waiting(), 30, "the first records to be acknowledged")
    produce()
    wait_until(_passed(0.2), 10, "a request to be under way")
    began, before = time.monotonic(), _sending_threads_cpu_s()
    wait_until(_passed(0.5), 10, "half a second to pass")
    share = (_sending_threads_cpu_s() - before) / (time.monotonic() - began)
    assert waiting()
    return share


def _passed(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


SLOW_BROKER: ClientConfig = {
    "test.mock.num.brokers": 1,
    "bootstrap.servers": "127.0.0.1:1",
    "test.mock.broker.rtt": 1000,
    "socket.timeout.ms": 10_000,
    "linger.ms": 5,
}
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="CPU time by thread is read from /proc")


@needs_proc
def test_upstream_takes_a_core_while_records_wait_for_a_request_of_their_partition() -> None:
    producer = Producer({**SLOW_BROKER, "enable.idempotence": True, "batch.num.messages": 100})

    def produce() -> None:
        for number in range(200):
            producer.produce("visits", b"x" * 600, b"%d" % number, partition=0)

    def waiting() -> bool:
        producer.poll(0)
        return len(producer) > 0

    try:
        assert _share_of_a_core_while_an_answer_is_awaited(produce, waiting) > 0.2
    finally:
        producer.purge()
        producer.flush(1)


@needs_proc
def test_ours_rests_while_records_wait_for_a_request_of_their_partition() -> None:
    producer, taken = BatchProducer(SLOW_BROKER, "visits"), 0
    keys, lines = [b"%032d" % number for number in range(100)], (b"x" * 600 + b"\n") * 100

    def produce() -> None:
        nonlocal taken
        for _ in range(2):
            taken = producer.produce(Records({0: 100}, keys, lines))[0]

    def waiting() -> bool:
        producer.poll(0)
        return producer.acknowledged(0) < taken

    try:
        assert _share_of_a_core_while_an_answer_is_awaited(produce, waiting) < 0.1
    finally:
        producer.close()
