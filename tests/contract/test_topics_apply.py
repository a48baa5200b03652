"""The topics' plan applied to a real cluster: what it makes, what it alters, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.kafka_admin import connect
from infra.topics import apply_topics, pending, read_topics
from producers.publisher import Publisher
from schemas.errors import ConfigurationError, RetryableError
from schemas.topics import TopicSpec, topic_plan
from tests.support.clusters import PARTITIONS, Cluster


@pytest.fixture
def specs(cluster: Cluster) -> Sequence[TopicSpec]:
    cluster.needs("creates_topics")
    return topic_plan(cluster.topics, partitions=PARTITIONS, replication_factor=1, retention_days=14)


def test_what_is_missing_is_created_as_planned_and_a_second_time_changes_nothing(
    cluster: Cluster, specs: Sequence[TopicSpec]
) -> None:
    done = apply_topics(cluster.config, specs)
    assert {(action.topic, action.kind) for action in done} == {(spec.name, "create") for spec in specs}
    found = read_topics(connect(cluster.config), specs, 10)
    for spec in specs:
        topic = found[spec.name]
        assert (topic.partitions, topic.replication_factor, topic.without_leader) == (spec.partitions, 1, 0)
        assert topic.config == spec.config
    assert apply_topics(cluster.config, specs) == []
    assert pending(cluster.config, specs) == []


def test_two_applies_at_once_are_harmless(cluster: Cluster, specs: Sequence[TopicSpec]) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: apply_topics(cluster.config, specs), range(4)))
    assert not [action for actions in done for action in actions if action.kind != "create"]
    assert pending(cluster.config, specs) == []


def test_safe_configuration_is_altered_and_the_rest_is_reported_and_left_alone(cluster: Cluster) -> None:
    cluster.needs("creates_topics")
    config = {"retention.ms": "86400000", "max.message.bytes": "1000000", "cleanup.policy": "delete"}
    name = cluster.topic("t", config)
    with Publisher(cluster.config) as publisher:
        publisher.publish(name, b"k", b"v")
    changed = {"retention.ms": "3600000", "max.message.bytes": "2000000", "cleanup.policy": "compact"}
    wanted = TopicSpec(name, PARTITIONS + 1, 2, changed)
    kinds = sorted(action.kind for action in apply_topics(cluster.config, [wanted]))
    assert kinds == ["configure", "drift", "drift", "drift", "drift"]
    found = read_topics(connect(cluster.config), [wanted], 10)[name]
    assert found.partitions == PARTITIONS
    assert found.config == {**config, "max.message.bytes": "2000000"}
    apply_topics(cluster.config, [wanted], shorten_retention=True)
    assert read_topics(connect(cluster.config), [wanted], 10)[name].config["retention.ms"] == "3600000"


def test_more_replicas_than_brokers_is_a_wrong_setting(cluster: Cluster) -> None:
    cluster.needs("creates_topics")
    with pytest.raises(ConfigurationError, match="replication"):
        apply_topics(cluster.config, [TopicSpec(cluster.prefix + "t", 1, 7)])


def test_a_cluster_that_does_not_answer_is_told_with_its_address() -> None:
    with pytest.raises(RetryableError, match=r"127\.0\.0\.1:1.*is it running"):
        apply_topics({"bootstrap.servers": "127.0.0.1:1", "log_level": 2}, [], timeout=0.5)
    with pytest.raises(ConfigurationError, match="security"):
        connect({"bootstrap.servers": "127.0.0.1:1", "security.protocol": "NONE"})
