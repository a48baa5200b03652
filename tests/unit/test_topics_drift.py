"""How a cluster's topics differ from the plan, and which differences nobody mends unasked."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.settings import KafkaSettings, RetentionSettings, Settings
from infra.topic_drift import FoundTopic, differences
from infra.topics import plan, read_topics
from schemas.topics import TopicSpec

KEPT = TopicSpec("kept", 4, 1, {"cleanup.policy": "delete", "retention.ms": "1000", "max.message.bytes": "9"})
COMPACTED = TopicSpec("compacted", 4, 1, {"cleanup.policy": "compact"})


def found(spec: TopicSpec, partitions: int | None = None, replicas: int | None = None, **config: str) -> FoundTopic:
    changed: Mapping[str, str] = {name.replace("_", "."): value for name, value in config.items()}
    return FoundTopic(
        spec.partitions if partitions is None else partitions,
        spec.replication_factor if replicas is None else replicas,
        config={**spec.config, **changed, "segment.bytes": "7"},
    )


def test_topics_as_planned_need_nothing() -> None:
    assert (
        differences([KEPT, COMPACTED], {"kept": found(KEPT), "compacted": found(COMPACTED), "other": found(KEPT)}) == []
    )


def test_a_missing_topic_is_to_be_created() -> None:
    (action,) = differences([KEPT], {})
    assert (action.topic, action.kind) == ("kept", "create")


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_partitions_is_drift_as_a_change_would_part_a_persons_records(count: int) -> None:
    (action,) = differences([KEPT], {"kept": found(KEPT, partitions=count)})
    assert action.kind == "drift"
    assert f"VENUECODE_KAFKA__PARTITIONS={count}" in action.detail


@pytest.mark.parametrize("count", [1, 3, 8])
def test_alert_topics_that_have_another_number_of_partitions_are_left_as_they_are(count: int) -> None:
    few = replace(KEPT, any_partitions=True)
    assert differences([few], {"kept": found(KEPT, partitions=count)}) == []


def test_another_replication_is_drift() -> None:
    (action,) = differences([KEPT], {"kept": found(KEPT, replicas=3)})
    assert action.kind == "drift"
    assert "replication 3" in action.detail


def test_configuration_that_can_lose_nothing_is_altered_in_one_go() -> None:
    (action,) = differences([KEPT], {"kept": found(KEPT, retention_ms="999", max_message_bytes="8")})
    assert action.kind == "configure"
    assert dict(action.config) == {"retention.ms": "1000", "max.message.bytes": "9"}


@pytest.mark.parametrize("have", ["1001", "-1"])
def test_a_shorter_retention_deletes_records_and_is_altered_only_when_told_to(have: str) -> None:
    (action,) = differences([KEPT], {"kept": found(KEPT, retention_ms=have)})
    assert action.kind == "drift"
    assert "--shorten-retention" in action.detail
    (action,) = differences([KEPT], {"kept": found(KEPT, retention_ms=have)}, shorten_retention=True)
    assert action.kind == "configure"


def test_lifting_the_retention_is_no_shortening() -> None:
    endless = TopicSpec("kept", 4, 1, {"retention.ms": "-1"})
    (action,) = differences([endless], {"kept": found(KEPT)})
    assert action.kind == "configure"


def test_another_cleanup_policy_is_drift_both_ways() -> None:
    for spec, policy in ((KEPT, "compact"), (COMPACTED, "delete"), (COMPACTED, "compact,delete")):
        (action,) = differences([spec], {spec.name: found(spec, cleanup_policy=policy)})
        assert action.kind == "drift"
        assert "by hand" in action.detail


def test_a_platform_for_analysis_keeps_records_without_an_end_and_others_do_not() -> None:
    kafka = KafkaSettings(topic_prefix="t-", partitions=3)
    normal = plan(Settings(kafka=kafka, retention=RetentionSettings(days=2)))
    lifted = plan(Settings(kafka=kafka, retention=RetentionSettings(analysis=True)))
    assert {spec.config.get("retention.ms") for spec in normal} == {"172800000", None}
    assert {spec.config.get("retention.ms") for spec in lifted} == {"-1", None}
    assert [spec.name for spec in normal] == [spec.name for spec in lifted]


def test_a_topic_that_another_broker_has_not_heard_of_yet_is_not_there_yet() -> None:
    partition = SimpleNamespace(replicas=[1], leader=1)
    topic = SimpleNamespace(error=None, partitions=dict.fromkeys(range(4), partition))

    class Cluster:
        """One broker names both topics, the one asked for their configuration knows one of them."""

        def list_topics(self, timeout: float) -> Any:
            return SimpleNamespace(topics={"kept": topic, "compacted": topic})

        def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, Future[Any]]:
            answers: dict[Any, Future[Any]] = {resource: Future() for resource in resources}
            for resource, answer in answers.items():
                if resource.name == "kept":
                    answer.set_result({})
                else:
                    answer.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
            return answers

    assert list(read_topics(Cluster(), [KEPT, COMPACTED], 1)) == ["kept"]  # type: ignore[arg-type]
