"""Topic names and how each topic must be laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SCANS: Final = "venue.scans.v1"
STATUSES: Final = "health.status.v1"
VENUES: Final = "venue.registry.v1"
VISITS: Final = "venue.visits.v1"
ALERTS_RED: Final = "alerts.red.v1"
ALERTS_YELLOW: Final = "alerts.yellow.v1"
ALERTS_REVIEW: Final = "alerts.review.v1"
DEAD_LETTERS: Final = "dead.letters.v1"
EXPOSURE_WINDOWS: Final = "exposure.windows.v1"

ALERTS: Final = {"red": ALERTS_RED, "yellow": ALERTS_YELLOW, "review": ALERTS_REVIEW}

MAX_RECORD_BYTES: Final = 65_536
"""A larger record is a dead letter; the topics take more (`_MAX_MESSAGE`), so that it arrives and is seen."""

_MAX_MESSAGE: Final = 4 * 1024 * 1024
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it must be: `partitions` and `replication_factor` count, `config` is Kafka's topic configuration."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def compacted(self) -> bool:
        return "compact" in self.config.get("cleanup.policy", "delete")


def topic_plan(*, partitions: int, replication_factor: int, retention_days: int) -> tuple[TopicSpec, ...]:
    """All topics of a platform.

    Scans, statuses and visits are co-partitioned (same number of partitions, same key, same partitioner): the worker
    that owns a partition of the scans needs that partition of the statuses and no other.
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

    def spec(name: str, config: Mapping[str, str], count: int = partitions) -> TopicSpec:
        return TopicSpec(name, count, replication_factor, config)

    return (
        spec(SCANS, kept),
        spec(STATUSES, compacted),
        spec(VENUES, compacted, 1),
        spec(VISITS, kept),
        spec(ALERTS_RED, kept),
        spec(ALERTS_YELLOW, kept),
        spec(ALERTS_REVIEW, kept),
        spec(DEAD_LETTERS, kept, 1),
        spec(EXPOSURE_WINDOWS, compacted, 1),
    )
