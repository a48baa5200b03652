"""How far a group is behind, as the brokers see it, also right after they came up."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from infra.embedded.kafka import EmbeddedKafka
from infra.lag import GroupLag, topic_ends
from producers.publisher import Publisher
from schemas.errors import RetryableError
from schemas.kafka import ClientConfig, consumer_config

pytestmark = pytest.mark.broker


def filled_topic(cluster: ClientConfig, records: int) -> str:
    topic = f"lag-{uuid.uuid4().hex}"
    admin = AdminClient(dict(cluster))
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    with Publisher(cluster) as publisher:
        for number in range(records):
            publisher.publish(topic, str(number).encode(), b"x")
    return topic


def test_a_group_nobody_has_heard_of_is_behind_by_everything_also_on_brokers_that_have_just_come_up(
    tmp_path: Path,
) -> None:
    with EmbeddedKafka(tmp_path / "kafka", port=0) as fresh:
        cluster: ClientConfig = {"bootstrap.servers": fresh.bootstrap_servers}
        topic = filled_topic(cluster, 7)
        with GroupLag(cluster, "nobody") as progress:
            assert progress.records([topic], timeout=30) == {topic: 7}


def test_what_a_group_committed_no_longer_counts(kafka: EmbeddedKafka) -> None:
    cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
    topic = filled_topic(cluster, 10)
    group = f"group-{uuid.uuid4().hex}"
    ends = topic_ends(AdminClient(dict(cluster)), topic)
    assert ends.records == 10
    consumer = Consumer(consumer_config(cluster, group))
    consumer.commit(offsets=[TopicPartition(topic, 0, ends.latest[0])], asynchronous=False)
    consumer.close()
    with GroupLag(cluster, group) as progress:
        assert progress.records([topic]) == {topic: ends.latest[1]}


def test_a_topic_that_is_not_there_is_a_clear_error(kafka: EmbeddedKafka) -> None:
    with (
        GroupLag({"bootstrap.servers": kafka.bootstrap_servers}, "any") as progress,
        pytest.raises(RetryableError, match="did not say"),
    ):
        progress.records([f"missing-{uuid.uuid4().hex}"], timeout=2)
