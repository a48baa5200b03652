"""Progress: whether worker and sink are there, and how far they are behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from confluent_kafka import KafkaException

from infra.doctor.finding import Finding
from infra.doctor.surroundings import Surroundings
from infra.kafka_admin import explained
from infra.lag import GroupLag
from sinks.clickhouse.routes import routes

_MUCH: Final = 100_000
"""Records: a few seconds of a city's peak."""


def check_lag(surroundings: Surroundings) -> Iterable[Finding]:
    """The consumer groups of worker and sink keep up."""
    settings = surroundings.settings
    names = settings.kafka.topics()
    return [
        _group(surroundings, "worker", settings.worker.group, [names.scans]),
        _group(surroundings, "sink", settings.sink.group, list(routes(names))),
    ]


def _group(surroundings: Surroundings, who: str, group: str, topics: Sequence[str]) -> Finding:
    there = [name for name in topics if name in surroundings.topics.get()]
    surroundings.kafka.get()  # no waiting for brokers that do not answer
    with GroupLag(surroundings.settings.kafka.librdkafka(), group) as progress:
        lag = progress.records(there, surroundings.timeout)
    return lag_finding(who, group, _members(surroundings, group), sum(lag.values()))


def _members(surroundings: Surroundings, group: str) -> int:
    try:
        described = surroundings.kafka.get().describe_consumer_groups([group], request_timeout=surroundings.timeout)
        return len(described[group].result().members)
    except KafkaException as error:
        raise explained(error, f"the brokers did not say who is in {group}") from error


def lag_finding(who: str, group: str, members: int, lag: int) -> Finding:
    """How a group does.

    Args:
        who: `worker` or `sink`.
        group: its name.
        members: consumers in it now.
        lag: records not committed yet.
    """
    behind = f"{lag:,} records behind"
    if members == 0 and lag > 0:
        return Finding(f"{who} lag", "warn", f"{behind}, and nobody is in group {group}", f"venuecode {who}")
    if lag > _MUCH:
        remedy = f"start another {who} if it does not shrink, up to one a partition"
        return Finding(f"{who} lag", "warn", f"{behind} with {members} in group {group}", remedy)
    return Finding(f"{who} lag", "ok", f"{behind}, {members} in group {group}")
