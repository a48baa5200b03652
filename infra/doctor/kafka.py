"""Kafka: brokers that answer, and topics laid out as the worker needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from infra.doctor.finding import Finding
from infra.doctor.surroundings import Surroundings
from infra.topic_drift import FoundTopic, differences
from schemas.topics import Topics, TopicSpec

_APPLY: Final = "venuecode topics apply"


def check_brokers(surroundings: Surroundings) -> Iterable[Finding]:
    """The brokers answer and take the credentials, and there are enough of them."""
    brokers = len(surroundings.kafka.get().list_topics(timeout=surroundings.timeout).brokers)
    return [broker_finding(brokers, surroundings.settings.kafka.replication_factor)]


def broker_finding(brokers: int, replication_factor: int) -> Finding:
    word = "broker" if brokers == 1 else "brokers"
    if brokers < replication_factor:
        meaning = f"{brokers} {word}, but {replication_factor} replicas are wanted: new topics cannot be made"
        return Finding("Kafka", "fail", meaning, "start the other brokers, or set VENUECODE_KAFKA__REPLICATION_FACTOR")
    return Finding("Kafka", "ok", f"{brokers} {word} answer")


def check_topics(surroundings: Surroundings) -> Iterable[Finding]:
    """The topics are there, led, co-partitioned, compacted and replicated as planned."""
    found = surroundings.topics.get()
    topics = surroundings.settings.kafka.topics()
    return [
        existence_finding(surroundings.specs, found),
        leader_finding(found),
        *co_partitioning_findings(topics, found),
        *compaction_findings(surroundings.specs, found),
        *replication_findings(surroundings.specs, found),
        *other_findings(surroundings.specs, found),
    ]


def existence_finding(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic]) -> Finding:
    missing = [spec.name for spec in specs if spec.name not in found]
    if missing:
        return Finding("topics", "fail", f"missing: {', '.join(missing)}", _APPLY)
    return Finding("topics", "ok", f"all {len(specs)} are there")


def leader_finding(found: Mapping[str, FoundTopic]) -> Finding:
    without = [f"{name} ({topic.without_leader})" for name, topic in found.items() if topic.without_leader]
    if without:
        meaning = f"partitions without a leader, which nobody can read or write: {', '.join(without)}"
        return Finding("leaders", "fail", meaning, "start the brokers that are down")
    return Finding("leaders", "ok", "every partition has one")


def co_partitioning_findings(topics: Topics, found: Mapping[str, FoundTopic]) -> list[Finding]:
    """Scans, statuses and visits of a person must have the same partition number."""
    counts = {name: found[name].partitions for name in (topics.scans, topics.statuses, topics.visits) if name in found}
    if len(counts) < 2:
        return []
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    if len(set(counts.values())) > 1:
        meaning = f"different numbers of partitions ({text}): a worker would not have the statuses of its scans"
        remedy = "stop the workers, and make new topics with the same number (VENUECODE_KAFKA__TOPIC_PREFIX)"
        return [Finding("co-partitioning", "fail", meaning, remedy)]
    return [
        Finding("co-partitioning", "ok", f"scans, statuses and visits have {next(iter(counts.values()))} partitions")
    ]


def compaction_findings(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic]) -> list[Finding]:
    """What holds the latest of each key must never be deleted by age, and what holds events never compacted."""
    compacted = [spec for spec in specs if spec.compacted and spec.name in found]
    wrong = [
        f"{spec.name} has {found[spec.name].config.get('cleanup.policy')}"
        for spec in compacted
        if found[spec.name].config.get("cleanup.policy") != "compact"
    ]
    if wrong:
        meaning = f"must be compacted only: {', '.join(wrong)}; statuses would vanish, and people become unknown"
        return [Finding("compaction", "fail", meaning, "kafka-configs --alter --add-config cleanup.policy=compact")]
    return [Finding("compaction", "ok", f"{len(compacted)} topics keep the latest of each key")] if compacted else []


def replication_findings(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic]) -> list[Finding]:
    fewer = [
        f"{spec.name} {found[spec.name].replication_factor}"
        for spec in specs
        if spec.name in found and found[spec.name].replication_factor < spec.replication_factor
    ]
    if fewer:
        meaning = f"fewer replicas than the {specs[0].replication_factor} wanted: {', '.join(fewer)}"
        return [
            Finding("replication", "warn", meaning, "kafka-reassign-partitions, or VENUECODE_KAFKA__REPLICATION_FACTOR")
        ]
    if any(topic.replication_factor == 1 for topic in found.values()):
        return [Finding("replication", "ok", "one copy of every record: fine for a demo, not for a city")]
    return [Finding("replication", "ok", "as planned")] if found else []


def other_findings(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic]) -> list[Finding]:
    """Differences from the plan that no other check speaks of."""
    findings: list[Finding] = []
    for action in differences(specs, found):
        if action.kind == "configure":
            findings.append(Finding(f"topic {action.topic}", "warn", f"is not as planned: {action.detail}", _APPLY))
        elif action.kind == "drift" and ("partitions" in action.detail or "retention.ms" in action.detail):
            meaning, _, remedy = action.detail.partition(": ")
            findings.append(Finding(f"topic {action.topic}", "warn", meaning, remedy))
    return findings
