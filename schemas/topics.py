"""Topic names and how each topic must be laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from schemas.alert import AlertLevel


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics of a platform; a prefix sets several platforms apart on one cluster."""

    prefix: str = ""

    @property
    def scans(self) -> str:
        return self.prefix + "venue.scans.v1"

    @property
    def statuses(self) -> str:
        return self.prefix + "health.status.v1"

    @property
    def venues(self) -> str:
        return self.prefix + "venue.registry.v1"

    @property
    def visits(self) -> str:
        return self.prefix + "venue.visits.v1"

    @property
    def dead_letters(self) -> str:
        return self.prefix + "dead.letters.v1"

    @property
    def replays(self) -> str:
        """Which dead letters were put back; read by `venuecode dlq` alone."""
        return self.prefix + "dead.letters.replayed.v1"

    @property
    def exposure_windows(self) -> str:
        return self.prefix + "exposure.windows.v1"

    def alerts(self, level: AlertLevel) -> str:
        return f"{self.prefix}alerts.{level}.v1"

    @property
    def all_alerts(self) -> tuple[str, ...]:
        return tuple(self.alerts(level) for level in get_args(AlertLevel))


MAX_RECORD_BYTES: Final = 65_536
"""A larger record is a dead letter; the topics take more (`_MAX_MESSAGE`), so that it arrives and is seen."""

_MAX_MESSAGE: Final = 4 * 1024 * 1024
_MAX_DEAD_LETTER: Final = _MAX_MESSAGE + 65_536
"""The largest record there can be, and the headers that say where it lay and why it was set aside."""

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it must be.

    Attributes:
        partitions, replication_factor: how many.
        config: Kafka's topic configuration.
        any_partitions: a topic that is there with another number of partitions is right as well.
    """

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)
    any_partitions: bool = False

    @property
    def compacted(self) -> bool:
        return "compact" in self.config.get("cleanup.policy", "delete")


def topic_plan(
    topics: Topics, *, partitions: int, replication_factor: int, retention_days: int
) -> tuple[TopicSpec, ...]:
    """All topics of a platform.

    Scans, statuses and visits are co-partitioned (same number of partitions, same key, same partitioner): the worker
    that owns a partition of the scans needs that partition of the statuses and no other. Alerts are few, and each
    partition of theirs costs brokers and clients a request of its own as often as the worker has any
    (docs/decisions/0010-sink.md, fewer requests): a quarter as many.
    """
    min_isr = "2" if replication_factor >= 3 else "1"
    common = {"min.insync.replicas": min_isr, "max.message.bytes": str(_MAX_MESSAGE)}
    kept = {**common, "cleanup.policy": "delete", "retention.ms": str(retention_days * _DAY_MS)}
    compacted = {
        **common,
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.3",
        "delete.retention.ms": str(_DAY_MS),
        "max.compaction.lag.ms": str(_DAY_MS),
    }

    def spec(name: str, config: Mapping[str, str], count: int = partitions, any_partitions: bool = False) -> TopicSpec:
        return TopicSpec(name, count, replication_factor, config, any_partitions)

    return (
        # Verdicts about a scan's time go by the record's timestamp: the brokers' clock, not that of whoever sent it.
        spec(topics.scans, {**kept, "message.timestamp.type": "LogAppendTime"}),
        spec(topics.statuses, compacted),
        spec(topics.venues, compacted, 1),
        spec(topics.visits, kept),
        *(spec(name, kept, max(1, partitions // 4), any_partitions=True) for name in topics.all_alerts),
        spec(topics.dead_letters, {**kept, "max.message.bytes": str(_MAX_DEAD_LETTER)}, 1),
        spec(topics.replays, compacted, 1),
        spec(topics.exposure_windows, compacted, 1),
    )
