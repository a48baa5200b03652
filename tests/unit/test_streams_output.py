"""Acknowledgements batch by batch: when a submission counts as done, and that after a loss none does.

Against librdkafka's own mock cluster: what is asked here is what our side makes of the reports.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.errors import ConfigurationError, FatalError
from schemas.kafka import ClientConfig, producer_config
from streams.batch_producer import REQUEST_BYTES, BatchProducer, Records
from streams.messages import Messages
from streams.output import Output
from tests.support.waiting import wait_until

MOCK: ClientConfig = {"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1:1"}
NOBODY: ClientConfig = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0, "message.timeout.ms": 300}
SLOW: ClientConfig = {**MOCK, "test.mock.broker.rtt": 200}
TIMEOUT = 20


def records(partition: int, count: int) -> Records:
    numbers = range(count)
    lines = b"".join(b"x" * (number % 900) + b"\n" for number in numbers)
    return Records({partition: count}, [b"%032d" % number for number in numbers], lines)


def alerts(count: int, *, urgent: bool = False) -> Messages:
    column = [b"%d" % number for number in range(count)]
    return Messages("alerts", column, column, {"h": column, "i": column}, urgent=urgent)


def acknowledged_are(producer: BatchProducer, counts: dict[int, int]) -> None:
    """Wait until exactly so many records of each partition are acknowledged."""

    def all_there() -> bool:
        producer.poll(10)
        return {partition: producer.acknowledged(partition) for partition in counts} == counts

    wait_until(all_there, TIMEOUT, "everything to be acknowledged")


class GivenToLibrary:
    """What a producer gives to librdkafka: partition and number of records, and what of it was acknowledged before."""

    def __init__(self) -> None:
        self.counts: list[tuple[int, int]] = []
        self.acknowledged_before: list[int] = []

    def watch(self, producer: BatchProducer) -> None:
        library = producer._lib

        def produce_batch(topic: int, partition: int, flags: int, first: int, count: int) -> int:
            self.counts.append((partition, count))
            self.acknowledged_before.append(producer.acknowledged(partition))
            return int(library.produce_batch(topic, partition, flags, first, count))

        functions = {name: getattr(library, name) for name in library.__slots__}
        producer._lib = SimpleNamespace(**{**functions, "produce_batch": produce_batch})


@contextmanager
def output(cluster: ClientConfig) -> Iterator[tuple[Output, list[str]]]:
    fatal: list[str] = []
    made = Output(cluster, "visits", fatal.append)
    try:
        yield made, fatal
    finally:
        made.close(0)


def test_a_submission_is_done_while_others_go_on_being_submitted() -> None:
    with output(MOCK) as (out, fatal):
        under_way: list[Future[None]] = []
        done_among_others = 0

        def done_while_busy() -> bool:
            nonlocal done_among_others
            under_way.append(out.submit([], records(len(under_way) % 3, 2000)))
            done_among_others += under_way[0].done() and not under_way[-1].done()
            return done_among_others > 5

        wait_until(done_while_busy, TIMEOUT, "a submission to be done with others under way")
        for future in under_way:
            future.result(TIMEOUT)
        assert fatal == []


def test_a_submission_of_a_partition_waits_for_its_own_records_and_messages() -> None:
    with output(MOCK) as (out, fatal):
        alone = out.submit([alerts(1)])
        both = out.submit([alerts(3, urgent=True), alerts(5), alerts(0)], records(1, 10))
        empty = out.submit([], records(2, 0))
        for future in (alone, both, empty):
            future.result(TIMEOUT)
        assert fatal == []


@pytest.mark.parametrize("lost", ["message", "urgent message", "records"])
def test_after_a_loss_the_process_is_told_to_end_and_nothing_is_done_any_more(lost: str) -> None:
    with output(NOBODY) as (out, fatal):
        messages = [] if lost == "records" else [alerts(1, urgent=lost == "urgent message")]
        futures = [out.submit(messages, None if messages else records(0, 5))]
        wait_until(lambda: len(fatal) > 0, TIMEOUT, "the loss to be seen")
        futures.append(out.submit([], records(1, 0)))
        assert "was lost" in fatal[0]
        assert "000000" not in fatal[0]
        out.close(0.1)
        assert not any(future.done() for future in futures)


def test_counts_are_of_each_partition_and_in_order() -> None:
    producer = BatchProducer(producer_config(MOCK, linger_ms=1), "visits")
    try:
        several = records(0, 2505)
        counts = [
            producer.produce(made) for made in (records(0, 10), records(1, 0), replace(several, counts={3: 5, 0: 2500}))
        ]
        assert counts == [{0: 10}, {}, {3: 5, 0: 2510}]
        acknowledged_are(producer, {0: 2510, 3: 5})
        assert producer.acknowledged(1) == 0
    finally:
        producer.close()


def test_values_are_kept_until_they_are_acknowledged_and_no_longer() -> None:
    made = [records(partition, 2000) for partition in (0, 1, 0)]
    before = [sys.getrefcount(some.lines) for some in made]
    for cluster, acknowledged in ((NOBODY, False), (MOCK, True)):
        producer = BatchProducer(producer_config(cluster), "visits")
        try:
            for some in made:
                producer.produce(some)
            assert [sys.getrefcount(some.lines) for some in made] == [count + 1 for count in before]
            if acknowledged:

                def let_go(producer: BatchProducer = producer) -> bool:
                    producer.poll(10)
                    return [sys.getrefcount(some.lines) for some in made] == before

                wait_until(let_go, TIMEOUT, "all values to be let go of")
                assert producer.acknowledged_of_all() == 6000
        finally:
            producer.close()
        del producer


def test_no_record_of_a_partition_is_given_to_the_library_before_the_earlier_ones_are_acknowledged() -> None:
    producer, given = BatchProducer(producer_config(SLOW), "visits"), GivenToLibrary()
    try:
        given.watch(producer)
        reached = [producer.produce(records(partition, 3)) for partition in (0, 1, 0, 0)]
        assert reached == [{0: 3}, {1: 3}, {0: 6}, {0: 9}]
        assert given.counts == [(0, 3), (1, 3)]
        acknowledged_are(producer, {0: 9, 1: 3})
        assert given.counts == [(0, 3), (1, 3), (0, 3), (0, 3)]
        assert given.acknowledged_before == [0, 0, 3, 3], "the two that waited went together"
    finally:
        producer.close()


def test_no_more_of_a_partition_is_given_to_the_library_at_once_than_a_request_holds() -> None:
    count, value = 100, b"x" * 60_000
    lines = (value + b"\n") * count
    producer, given = BatchProducer(producer_config(MOCK), "visits"), GivenToLibrary()
    try:
        given.watch(producer)
        producer.produce(Records({0: count}, [b"%032d" % number for number in range(count)], lines))
        acknowledged_are(producer, {0: count})
        assert sum(number for _, number in given.counts) == count
        assert len(given.counts) == 2
        assert max(number for _, number in given.counts) * len(value) <= REQUEST_BYTES
    finally:
        producer.close()


@pytest.mark.parametrize("wrong", [{"lines": b"1\n2\n"}, {"counts": {0: 1, 3: 1}}])
def test_keys_values_and_counts_that_disagree_are_an_error(wrong: dict[str, Any]) -> None:
    producer = BatchProducer(producer_config(MOCK), "visits")
    try:
        with pytest.raises(FatalError, match=r"values for 3 keys"):
            producer.produce(replace(records(0, 3), **wrong))
    finally:
        producer.close()


def test_records_for_a_partition_that_is_not_there_are_an_error_not_a_count() -> None:
    producer = BatchProducer(producer_config(MOCK, linger_ms=1), "visits")
    try:

        def refused() -> bool:
            producer.produce(records(1000, 1))
            producer.poll(10)
            return False

        with pytest.raises(FatalError, match="partition"):
            wait_until(refused, TIMEOUT, "the refusal")
        assert producer.acknowledged(1000) == 0
    finally:
        producer.close()


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"no\.such\.setting"):
        BatchProducer({"no.such.setting": 1}, "visits")
