"""Two workers and two sinks that own the same partitions all the time: what a zombie may do at worst, and more."""

from __future__ import annotations

from pathlib import Path

from infra.lag import GroupLag
from tests.faults.platform import START_S, platform
from tests.faults.report import Round


def twin_round(
    bootstrap_servers: str, clickhouse: tuple[str, int], directory: Path, *, seed: int, events: int
) -> Round:
    """Each twin is in a group of its own, so that the brokers give all partitions to both, and fence neither."""
    result = Round("two workers and two sinks on the same partitions", seed)
    with platform(result, bootstrap_servers, clickhouse, directory) as own:
        settings = own.settings
        twins = {"worker": settings.worker.group + "-twin", "sink": settings.sink.group + "-twin"}
        for kind, group in twins.items():
            own.service(kind, f"{kind}-one").start()
            own.service(kind, f"{kind}-two", group=group).start()
            result.faults[f"{kind}s on every partition"] = 2
        own.send(events)
        own.settle()
        cluster, topics = settings.kafka.librdkafka(), settings.kafka.topics()
        # The second worker's visits are work for both sinks.
        with GroupLag(cluster, twins["worker"]) as workers, GroupLag(cluster, twins["sink"]) as sinks:
            own.wait_until(lambda: not any(workers.records([topics.scans]).values()), START_S, "the second worker")
            own.wait_until(lambda: not any(sinks.records([topics.visits]).values()), START_S, "the second sink")
        own.settle()
        return own.judge()
