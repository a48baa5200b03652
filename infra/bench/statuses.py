"""The status store: memory a person, how fast it is filled, changed, asked and restarted."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.bench.apart import run_apart
from infra.bench.figures import Run
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.scans import fill_topic
from infra.bench.status_probe import PARTITIONS, STORM_PERSONS, STORM_S
from infra.embedded.kafka import EmbeddedKafka
from infra.topics import apply_topics
from schemas.fast import struct_of
from schemas.health import HealthStatus
from schemas.kafka import ClientConfig
from schemas.topics import Topics, topic_plan

_Status: type[HealthStatus] = struct_of(HealthStatus)


def run_statuses_bench(people: int = 1_000_000, records: int = 1_000_000, runs: int = 3) -> Document:
    """Measure the status store, every part in a process of its own.

    Memory and look-ups: a store filled with `people` without a topic. `bytes_per_person` is the growth of the resident
    memory, `bytes_per_person_peak` the largest while it was filled, `bytes_per_person_with_earlier` when everybody's
    status has superseded another. Look-ups are in batches of 4,000; `lookups_per_s_in_storm` while 82,000 a minute
    change, `storm_slice_longest_ms` the longest that one slice of those changes took.

    Time: a follower reads a compacted topic with `records` statuses from its beginning, as the worker does
    (`fill_per_s`, `cpu_s_per_million`, `filled_rss_mb`), then a newer version of every one (`updates_per_s`); snapshots
    are saved (`snapshot_s`), and another process loads them and catches up (`restart_s`).

    Args:
        people: whose statuses are held in memory.
        records: statuses on the topic, at most `people`.
        runs: repetitions.

    Returns:
        The document (`infra.bench.report.document`).

    Raises:
        FatalError: a status was lost, or was read again in spite of a snapshot.
    """
    records = min(people, records)
    with (
        tempfile.TemporaryDirectory(prefix="venuecode-bench-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", port=0) as kafka,
    ):
        cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
        topics = [Topics("fill.").statuses, Topics("update.").statuses]
        for prefix in ("fill.", "update."):
            plan = topic_plan(Topics(prefix), partitions=PARTITIONS, replication_factor=1, retention_days=14)
            apply_topics(cluster, plan)
        for version, topic in enumerate(topics, 1):
            tell(f"filling a topic with version {version} of {records:,} statuses")
            fill_topic(cluster, topic, _statuses(records, version), lambda status: status.person_token)

        def measure(number: int) -> Run:
            directory = Path(folder) / f"snapshots-{number}"
            where = [kafka.bootstrap_servers, str(records), topics[0]]
            found = _probe("store", str(people // PARTITIONS * PARTITIONS))
            found |= _probe("topic", *where, topics[1], str(directory))
            return found | _probe("restart", *where, str(directory))

        found = alternate({"status store": measure}, runs)
    storm = f"{STORM_PERSONS:,} in {STORM_S:.0f} s"
    return document("statuses", found, {"people": people, "records": records, "storm": storm})


def _statuses(count: int, version: int) -> Iterator[HealthStatus]:
    rng = random.Random(7)
    now = datetime.now(UTC).replace(microsecond=0)
    for _ in range(count):
        person = rng.randbytes(16).hex()
        issued = now - timedelta(seconds=3600 * (3 - version) + 1800 * rng.random())
        yield _Status(
            person_token=person,
            colour=rng.choices(("green", "yellow", "red"), (9_970, 20, 10))[0],
            reason="measurement",
            valid_from=issued,
            valid_until=now + timedelta(days=2),
            version=version,
            issuer="taiyuan-health",
            issued_at=issued,
        )


def _probe(*arguments: str) -> dict[str, Any]:
    tell(f"  {arguments[0]}")
    return run_apart("infra.bench.status_probe", list(arguments), f"measuring the {arguments[0]}")
