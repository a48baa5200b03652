"""How a cluster's topics differ from the plan, and which differences may be mended without losing a record. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.topics import TopicSpec

ActionKind = Literal["create", "configure", "drift"]


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the cluster has it; `without_leader` counts the partitions nobody can write to now."""

    partitions: int
    replication_factor: int
    without_leader: int = 0
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """One difference between plan and cluster.

    Attributes:
        kind: `create` and `configure` are done by `apply_topics`; `drift` is for a person to decide.
        detail: what differs, and for a drift what to do about it.
        config: what is to be set, for `configure`.
    """

    topic: str
    kind: ActionKind
    detail: str
    config: Mapping[str, str] = field(default_factory=dict)


def differences(
    specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic], *, shorten_retention: bool = False
) -> list[Action]:
    """What would have to be done for the cluster to be as planned.

    Args:
        specs: the plan.
        found: the topics of the cluster, by name.
        shorten_retention: whether records may be given up by a shorter retention.
    """
    actions: list[Action] = []
    for spec in specs:
        topic = found.get(spec.name)
        if topic is None:
            actions.append(
                Action(spec.name, "create", f"{spec.partitions} partitions, replication {spec.replication_factor}")
            )
            continue
        actions += _layout_drift(spec, topic)
        actions += _config_differences(spec, topic, shorten_retention)
    return actions


def _layout_drift(spec: TopicSpec, topic: FoundTopic) -> list[Action]:
    drifts: list[Action] = []
    if topic.partitions != spec.partitions and not spec.any_partitions:
        drifts.append(
            Action(
                spec.name,
                "drift",
                f"has {topic.partitions} partitions, planned are {spec.partitions}: set"
                f" VENUECODE_KAFKA__PARTITIONS={topic.partitions}, or move to new topics with another"
                " VENUECODE_KAFKA__TOPIC_PREFIX (more partitions would part a person's records from those before)",
            )
        )
    if topic.replication_factor != spec.replication_factor:
        drifts.append(
            Action(
                spec.name,
                "drift",
                f"has replication {topic.replication_factor}, planned is {spec.replication_factor}: reassign with"
                " kafka-reassign-partitions, or set VENUECODE_KAFKA__REPLICATION_FACTOR",
            )
        )
    return drifts


def _config_differences(spec: TopicSpec, topic: FoundTopic, shorten_retention: bool) -> list[Action]:
    changes: dict[str, str] = {}
    drifts: list[Action] = []
    for name, wanted in spec.config.items():
        have = topic.config.get(name)
        if have == wanted:
            continue
        if name == "cleanup.policy":
            what = "compaction drops all but the latest record of a key, deletion drops what compaction kept"
            drifts.append(
                Action(spec.name, "drift", f"{name} is {have}, planned is {wanted}: {what}; alter it by hand")
            )
        elif name == "retention.ms" and not shorten_retention and _is_shorter(wanted, have):
            what = "shortening deletes records; to do so: venuecode topics apply --shorten-retention"
            drifts.append(Action(spec.name, "drift", f"{name} is {have}, planned is {wanted}: {what}"))
        else:
            changes[name] = wanted
    if changes:
        detail = ", ".join(f"{name} {topic.config.get(name)} -> {value}" for name, value in sorted(changes.items()))
        drifts.append(Action(spec.name, "configure", detail, changes))
    return drifts


def _is_shorter(wanted: str, have: str | None) -> bool:
    """Whether a retention in milliseconds is shorter than another; -1 has no end."""
    return wanted != "-1" and (have is None or have == "-1" or int(wanted) < int(have))
