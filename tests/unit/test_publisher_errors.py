"""What the publisher says when it cannot do what was asked; librdkafka's mock cluster stands in for brokers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from producers.publisher import Publisher
from schemas.errors import ConfigurationError, RejectError, RetryableError

MOCK = {"bootstrap.servers": "mock"}
NOBODY = {"bootstrap.servers": "127.0.0.1:1"}


class MockCluster:
    """A mock cluster that can be taken away."""

    def __init__(self) -> None:
        self._owner: Any = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self._owner.list_topics(timeout=10).brokers.values()))
        self.config = {"bootstrap.servers": f"{broker.host}:{broker.port}"}

    def stop(self) -> None:
        self._owner = None


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    found = MockCluster()
    yield found
    found.stop()


def test_an_unreachable_broker_is_told_with_its_address_within_the_bound() -> None:
    before = time.monotonic()
    with pytest.raises(RetryableError, match=r"127\.0\.0\.1:1 within 0\.5 s"), Publisher(NOBODY, connect_timeout=0.5):
        pass
    assert time.monotonic() - before < 3


def test_refused_credentials_are_a_configuration_error_that_names_what_to_check(cluster: MockCluster) -> None:
    secured = {
        **cluster.config,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "somebody",
        "sasl.password": "wrong",
    }
    with pytest.raises(ConfigurationError, match="user name and the password") as caught, Publisher(secured):
        pass
    assert "wrong" not in str(caught.value)


def test_a_wrong_setting_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"no\.such\.setting"), Publisher(MOCK, no_such_setting=1):
        pass


def test_a_failed_delivery_surfaces_with_topic_and_count_and_at_every_further_call(cluster: MockCluster) -> None:
    publisher = Publisher(cluster.config, message_timeout_ms=500).__enter__()
    publisher.publish("a-topic", b"key", b"value")
    publisher.flush()
    cluster.stop()
    publisher.publish_batch("a-topic", [b"key"] * 3, [b"value"] * 3)
    with pytest.raises(RetryableError, match="3 records to a-topic"):
        publisher.flush()
    assert (publisher.delivered, publisher.failed) == (1, 3)
    with pytest.raises(RetryableError, match="3 records to a-topic"):
        publisher.publish("a-topic", b"key", b"value")
    with pytest.raises(RetryableError, match="3 records to a-topic"):
        publisher.__exit__(None, None, None)


def test_leaving_the_block_raises_when_something_is_undelivered(cluster: MockCluster) -> None:
    def publish_into_the_void() -> None:
        with Publisher(cluster.config, message_timeout_ms=500) as publisher:
            publisher.publish("warm-up", b"key", b"value")
            publisher.flush()
            cluster.stop()
            publisher.publish("a-topic", b"key", b"value")

    with pytest.raises(RetryableError, match="1 record to a-topic"):
        publish_into_the_void()


def test_an_error_in_the_block_is_not_hidden_by_the_publisher(cluster: MockCluster) -> None:
    def fail() -> None:
        with Publisher(cluster.config) as publisher:
            publisher.publish("a-topic", b"key", b"value")
            raise LookupError

    with pytest.raises(LookupError):
        fail()


def test_a_queue_smaller_than_a_batch_holds_the_caller_back_and_loses_nothing() -> None:
    with Publisher(MOCK, test_mock_num_brokers=1, queue_buffering_max_messages=100) as publisher:
        publisher.publish_batch("a-topic", [b"%d" % number for number in range(2_000)], [b"value"] * 2_000)
        for number in range(500):
            publisher.publish("a-topic", b"%d" % number, b"value")
        publisher.flush()
        assert publisher.delivered == publisher.accepted == 2_500


def test_a_queue_that_is_full_by_bytes_loses_nothing() -> None:
    with Publisher(MOCK, test_mock_num_brokers=1, queue_buffering_max_kbytes=64) as publisher:
        publisher.publish_batch("a-topic", [b"key"] * 200, [b"x" * 2_000] * 200)
        publisher.flush()
        assert publisher.delivered == 200


def test_a_record_too_large_for_the_cluster_is_rejected_and_the_others_arrive() -> None:
    huge = b"x" * 5_000_000
    with Publisher(MOCK, test_mock_num_brokers=1) as publisher:
        with pytest.raises(RejectError, match="1 record for a-topic"):
            publisher.publish_batch("a-topic", [b"1", b"2", b"3"], [b"value", huge, b"value"])
        with pytest.raises(RejectError, match="too_large"):
            publisher.publish("a-topic", b"1", huge)
        publisher.flush()
        assert publisher.delivered == 2


def test_unequal_keys_and_values_are_refused_before_anything_is_sent() -> None:
    with Publisher(MOCK, test_mock_num_brokers=1) as publisher:
        with pytest.raises(ValueError, match="1 keys and 2 values"):
            publisher.publish_batch("a-topic", [b"key"], [b"one", b"two"])
        assert publisher.accepted == 0
