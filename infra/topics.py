"""The topics of a platform: what is planned, what is there, and how the second becomes the first. Never deletes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from infra.kafka_admin import connect, explained
from infra.settings import Settings
from infra.topic_drift import Action, FoundTopic, differences
from schemas.errors import ConfigurationError, RetryableError
from schemas.kafka import ClientConfig
from schemas.topics import TopicSpec, topic_plan

_POLL_S: Final = 0.05


def plan(settings: Settings) -> tuple[TopicSpec, ...]:
    """The topics as the settings want them; a platform for analysis keeps its records without an end."""
    specs = topic_plan(
        settings.kafka.topics(),
        partitions=settings.kafka.partitions,
        replication_factor=settings.kafka.replication_factor,
        retention_days=settings.retention.days,
    )
    if not settings.retention.analysis:
        return specs
    return tuple(
        replace(spec, config={**spec.config, "retention.ms": "-1"}) if "retention.ms" in spec.config else spec
        for spec in specs
    )


def read_topics(admin: AdminClient, specs: Sequence[TopicSpec], timeout: float) -> dict[str, FoundTopic]:
    """The planned topics that exist on the broker that was asked, with the configuration that the plan speaks of.

    A topic that was created just now may be known to one broker and not yet to another: it is not there yet.

    Raises:
        RetryableError, ConfigurationError: the brokers did not answer, or this user may not ask.
    """
    try:
        metadata = admin.list_topics(timeout=timeout).topics
        there = [spec for spec in specs if spec.name in metadata and metadata[spec.name].error is None]
        resources = [ConfigResource(ResourceType.TOPIC, spec.name) for spec in there]
        futures = admin.describe_configs(resources, request_timeout=timeout) if resources else {}
        configs = {
            resource.name: future.result()
            for resource, future in futures.items()
            if not _is_unknown(future.exception())
        }
    except KafkaException as error:
        raise explained(error, "the brokers did not say which topics there are") from error
    found: dict[str, FoundTopic] = {}
    for spec in there:
        if spec.name not in configs:
            continue
        partitions = metadata[spec.name].partitions.values()
        found[spec.name] = FoundTopic(
            partitions=len(partitions),
            replication_factor=max((len(partition.replicas) for partition in partitions), default=0),
            without_leader=sum(partition.leader < 0 for partition in partitions),
            config={name: str(configs[spec.name][name].value) for name in spec.config if name in configs[spec.name]},
        )
    return found


def _is_unknown(error: BaseException | None) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def pending(cluster: ClientConfig, specs: Sequence[TopicSpec], timeout: float = 10) -> list[Action]:
    """What `apply_topics` would do or report now.

    Raises:
        RetryableError, ConfigurationError: see `infra.kafka_admin.connect`.
    """
    return differences(specs, read_topics(connect(cluster, timeout), specs, timeout))


def apply_topics(
    cluster: ClientConfig, specs: Sequence[TopicSpec], timeout: float = 30, *, shorten_retention: bool = False
) -> list[Action]:
    """Create what is missing, alter configuration where no record can be lost by it, report the rest as drift.

    When it returns, every planned topic exists and every partition of it has a leader. Two at once are harmless: the
    second finds what the first created. Never deletes a topic, and never shortens a retention unless told to.

    Returns:
        What was done (`create`, `configure`) and what was not (`drift`).

    Raises:
        RetryableError: the brokers did not answer, or no leaders were elected, within `timeout` seconds.
        ConfigurationError: the brokers refuse the credentials or the plan.
    """
    deadline = time.monotonic() + timeout
    admin = connect(cluster, timeout)
    actions = differences(specs, read_topics(admin, specs, timeout), shorten_retention=shorten_retention)
    missing = {action.topic for action in actions if action.kind == "create"}
    _create(admin, [spec for spec in specs if spec.name in missing], timeout)
    _configure(admin, [action for action in actions if action.kind == "configure"], timeout)
    after = _wait_for_leaders(admin, specs, deadline, timeout)
    # Somebody else may have created a topic in the meantime, in another way.
    created_otherwise = [action for action in differences(specs, after) if action.topic in missing]
    return actions + created_otherwise


def _create(admin: AdminClient, specs: Sequence[TopicSpec], timeout: float) -> None:
    if not specs:
        return
    topics = [
        NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=spec.replication_factor,
            config=dict(spec.config),
        )
        for spec in specs
    ]
    for name, future in admin.create_topics(topics, operation_timeout=timeout, request_timeout=timeout).items():
        try:
            future.result()
        except KafkaException as error:
            code = error.args[0].code()
            if code == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            if code in (KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.POLICY_VIOLATION, KafkaError.INVALID_CONFIG):
                raise ConfigurationError(f"the brokers refuse the topic {name}: {error.args[0].str()}") from error
            raise explained(error, f"the topic {name} was not created") from error


def _configure(admin: AdminClient, actions: Sequence[Action], timeout: float) -> None:
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            action.topic,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in action.config.items()
            ],
        )
        for action in actions
    ]
    if not resources:
        return
    for resource, future in admin.incremental_alter_configs(resources, request_timeout=timeout).items():
        try:
            future.result()
        except KafkaException as error:
            raise explained(error, f"the topic {resource.name} was not configured") from error


def _wait_for_leaders(
    admin: AdminClient, specs: Sequence[TopicSpec], deadline: float, timeout: float
) -> dict[str, FoundTopic]:
    while True:
        found = read_topics(admin, specs, timeout)
        waiting = [spec.name for spec in specs if spec.name not in found or found[spec.name].without_leader]
        if not waiting:
            return found
        if time.monotonic() > deadline:
            raise RetryableError(f"no leader was elected within {timeout:g} s for: {', '.join(waiting)}")
        time.sleep(_POLL_S)
