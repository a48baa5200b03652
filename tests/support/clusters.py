"""One fixture, `cluster`, over every kind of Kafka the broker-facing parts promise to work with.

What a kind cannot do is a flag, and a test that needs it skips with the reason (`needs`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from infra.topics import apply_topics
from schemas.kafka import ClientConfig
from schemas.topics import Topics, TopicSpec
from tests.support.docker import docker_available

KAFKA_IMAGE: Final = "apache/kafka:4.3.1"
PARTITIONS: Final = 4
"""Of every topic of the contract suite: what the mock cluster gives a topic that it makes by itself."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kafka to test against.

    Attributes:
        bootstrap_servers: host:port, comma-separated.
        prefix: before every topic and group of this test; no other test has it.
        creates_topics: whether the admin interface can create and configure topics.
        compacts: whether a topic can be compacted.
        hands_over: whether a member that joins a group after another left is served at once.
    """

    kind: str
    bootstrap_servers: str
    prefix: str
    creates_topics: bool = True
    compacts: bool = True
    hands_over: bool = True

    @property
    def config(self) -> ClientConfig:
        """As librdkafka's settings."""
        return {"bootstrap.servers": self.bootstrap_servers, "log_level": 2}

    @property
    def topics(self) -> Topics:
        """The platform's topic names, under this test's prefix."""
        return Topics(self.prefix)

    def topic(self, name: str = "topic", config: dict[str, str] | None = None) -> str:
        """Make a topic of `PARTITIONS` partitions; its full name."""
        full = name if name.startswith(self.prefix) else self.prefix + name
        if self.creates_topics:
            apply_topics(self.config, [TopicSpec(full, PARTITIONS, 1, config or {})])
        else:
            AdminClient(dict(self.config)).list_topics(full, timeout=10)  # the mock makes it when asked
        return full

    def needs(self, capability: str) -> None:
        """Skip the test where this kind of cluster lacks a capability."""
        if not getattr(self, capability):
            pytest.skip(f"{self.kind} Kafka lacks: {capability}")


@pytest.fixture(scope="session")
def mock_kafka() -> Iterator[str]:
    """librdkafka's mock cluster: quick, and no evidence for guarantees."""
    owner: Any = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 2})
    brokers = owner.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    del owner


@pytest.fixture(scope="session")
def kafka_container() -> Iterator[str]:
    """Apache's own image in Docker."""
    reason = docker_available()
    if reason is not None:
        pytest.skip(reason)
    from tests.support.kafka_container import ApacheKafkaContainer

    with ApacheKafkaContainer(KAFKA_IMAGE) as container:
        yield container.get_bootstrap_server()


@pytest.fixture(
    params=[
        "mock",
        pytest.param("embedded", marks=pytest.mark.broker),
        pytest.param("container", marks=[pytest.mark.broker, pytest.mark.docker]),
    ]
)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each kind of Kafka in turn."""
    prefix = f"t{uuid.uuid4().hex[:12]}."
    if request.param == "mock":
        servers = request.getfixturevalue("mock_kafka")
        # Its groups let a second member wait in steps of 5 s, seen up to 30 s (docs/upstream.md).
        return Cluster("mock", servers, prefix, creates_topics=False, compacts=False, hands_over=False)
    if request.param == "embedded":
        return Cluster("embedded", request.getfixturevalue("kafka").bootstrap_servers, prefix)
    return Cluster("container", request.getfixturevalue("kafka_container"), prefix)
