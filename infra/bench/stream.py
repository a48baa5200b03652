"""How fast one worker process decides scans, fed from a full topic on an embedded Kafka of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Literal

from confluent_kafka.admin import AdminClient

from infra.bench.commit_lag import CommitLag
from infra.bench.figures import Run
from infra.bench.recompute import compare_visits
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.scans import BARE, FULL, Job, fill_scans
from infra.bench.usage import cpu_seconds, peak_rss_mb
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.process import ChildProcess
from infra.lag import GroupLag, topic_ends
from infra.topics import apply_topics
from schemas.errors import FatalError
from schemas.kafka import ClientConfig
from schemas.topics import Topics, topic_plan

_PARTITIONS = 8
_DEADLINE_S = 300.0
_POLL_S = 0.05
_SAMPLE = 2_000
"""Visits of each partition that are compared with a recomputation."""

JobName = Literal["full", "bare"]
JOBS: Final[Mapping[JobName, Job]] = {"full": FULL, "bare": BARE}


def run_stream_bench(
    events: int = 1_000_000, runs: int = 3, statuses: int = 1_000_000, job: JobName = "full", spoilt_every: int = 0
) -> Document:
    """Measure the worker: decode, look up, decide; visits and alerts acknowledged, offsets committed.

    Both jobs are the whole worker, validation and all, and differ in what the scans are like (`infra.bench.scans`).

    Each run has a consumer group of its own and reads the same topic from its beginning, in a new process. The clock
    runs from the first visit on its topic to the last; what the worker does before (reading the statuses) is
    `seconds_to_first`. Afterwards the committed offsets must be the ends of the topic, and a sample of the visits of
    every run must be, field by field, what their scans, statuses and venues say (`infra.bench.recompute`).

    Args:
        events: scans on the topic.
        runs: repetitions.
        statuses: persons whose status the worker holds.
        job: what the scans are like.
        spoilt_every: also measure, in turn with it, a topic on which each so many-th scan is no JSON; 0: do not. Every
            bad one must be among the dead letters, and every other one a visit; its visits are counted, not compared.

    Returns:
        The document (`infra.bench.report.document`) with `events_per_s`, `cpu_s_per_million` (CPU seconds of the
        worker's process while the clock runs) and `peak_rss_mb` of it, and `commit_behind_s`
        (`infra.bench.commit_lag`, the largest); runs have `seconds`, `seconds_to_first` and `compared` too.

    Raises:
        FatalError: the worker ended, was too slow, did not commit everything, or decided something wrongly.
    """
    with (
        tempfile.TemporaryDirectory(prefix="venuecode-bench-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", port=0) as kafka,
    ):
        cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
        plans = {f"{job} job": (Topics(), 0)}
        if spoilt_every:
            # A prefix of one letter: a longer one costs the worker more than the bad scans do (decision 13).
            plans[f"{job} job, one scan in {spoilt_every} bad"] = (Topics("x"), spoilt_every)
        for topics, every in plans.values():
            apply_topics(cluster, topic_plan(topics, partitions=_PARTITIONS, replication_factor=1, retention_days=14))
            tell(f"filling the topics with {statuses:,} statuses and {events:,} scans")
            fill_scans(cluster, topics, events, statuses, JOBS[job], spoilt_every=every)
        found = alternate(
            {
                name: partial(_run, events=events, every=every, cluster=cluster, topics=topics, folder=Path(folder))
                for name, (topics, every) in plans.items()
            },
            runs,
        )
    name = "stream" if job == "full" else f"stream-{job}"
    name += "-bad" if spoilt_every else ""
    return document(name, found, {"job": job, "events": events, "statuses": statuses})


def _run(number: int, events: int, every: int, cluster: ClientConfig, topics: Topics, folder: Path) -> Run:
    admin = AdminClient(dict(cluster))
    group = f"{topics.prefix}bench-{number}"
    bad = events // every if every else 0
    letters = sum(topic_ends(admin, topics.dead_letters).latest.values())
    variables = {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": str(cluster["bootstrap.servers"]),
        "VENUECODE_KAFKA__TOPIC_PREFIX": topics.prefix,
        "VENUECODE_WORKER__GROUP": group,
        "VENUECODE_WORKER__METRICS_PORT": "0",
    }
    argv = [sys.executable, "-m", "infra.cli.main", "worker"]
    worker = ChildProcess("worker", argv, folder / f"{group}.log", env={**os.environ, **variables})
    begins = topic_ends(admin, topics.visits).latest
    lag, began = CommitLag(), time.perf_counter()
    with GroupLag(cluster, group) as progress:

        def visits() -> int:
            """How many this run has made; takes a sample of how far commits are behind them."""
            now, ends = time.perf_counter(), topic_ends(admin, topics.visits).latest
            made = {partition: end - begins[partition] for partition, end in ends.items()}
            lag.sample(now, made, progress.committed(topics.scans))
            return sum(made.values())

        worker.start()
        try:
            first = _await(worker, visits, 1)
            started, cpu = time.perf_counter(), cpu_seconds(worker.pid)
            _await(worker, visits, events - bad)
            seconds = time.perf_counter() - started
            cpu, peak = cpu_seconds(worker.pid) - cpu, peak_rss_mb(worker.pid)
        finally:
            code = worker.stop(timeout=30)
        behind = progress.records([topics.scans])[topics.scans]
    if code != 0 or behind:
        raise FatalError(f"the worker ended with {code} and did not commit everything:\n{worker.log_tail()}")
    if (found := sum(topic_ends(admin, topics.dead_letters).latest.values()) - letters) != bad:
        raise FatalError(f"{found} dead letters for {bad} bad scans")
    compared = 0 if every else compare_visits(cluster, topics, begins, _SAMPLE)
    decided = events - bad - first
    return {
        "events_per_s": round(decided / seconds),
        "cpu_s_per_million": round(cpu / decided * 1e6, 2),
        "peak_rss_mb": round(peak),
        "commit_behind_s": round(lag.largest_s, 2),
        "seconds": round(seconds, 2),
        "seconds_to_first": round(started - began, 2),
        "compared": compared,
    }


def _await(worker: ChildProcess, visits: Callable[[], int], least: int) -> int:
    """How many visits there are, once there are so many."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and worker.is_running():
        found = visits()
        if found >= least:
            return found
        time.sleep(_POLL_S)
    raise FatalError(f"the worker did not get to {least} visits; the end of its log:\n{worker.log_tail()}")
