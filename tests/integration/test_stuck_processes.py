"""Processes that are stuck but alive: they say so on /ready, then end by themselves, to be started again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.sink_process import SinkProcess
from tests.support.visit_rows import migrated_database, visit_document
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform, WorkerProcess
from tests.support.worker_scans import scan

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]

FROZEN = "tests.support.frozen_commits"
NO_BROKERS_KNOWN = "tests.support.no_brokers_known"


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


@pytest.fixture
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, retention_days=14) as target:
        yield target


def _says_so_and_ends(process: WorkerProcess | SinkProcess) -> None:
    def says_so() -> bool:
        code, body = process.get("/ready")
        return code == 503 and "no commit for" in body

    try:
        wait_until(says_so, 40, "/ready to say what stands still")
        wait_until(lambda: process.process.poll() is not None, 40, "the process to end by itself")
        assert process.process.returncode == 70, process.log()
        assert "giving up, to be restarted" in process.log()
    finally:
        process.kill()


def test_a_worker_whose_commits_stand_still_says_so_on_ready_and_then_ends(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    worker = WorkerProcess(platform, tmp_path, module=FROZEN, VENUECODE_WORKER__STALL_S="6")
    worker.wait_until_ready()
    platform.send_records(platform.topics.scans, "person_token", [scan(1, datetime.now(UTC))])
    _says_so_and_ends(worker)
    assert sum(platform.committed().values()) == 0


def test_a_worker_that_cannot_join_its_group_for_good_ends(platform: WorkerPlatform, tmp_path: Path) -> None:
    worker = WorkerProcess(platform, tmp_path, module=NO_BROKERS_KNOWN)
    try:
        wait_until(lambda: worker.process.poll() is not None, 40, "the process to end by itself")
        assert worker.process.returncode == 70, worker.log()
        assert "no member of the group any more" in worker.log()
    finally:
        worker.kill()


def test_a_sink_whose_commits_stand_still_says_so_on_ready_and_then_ends(
    platform: WorkerPlatform, target: ClickHouseTarget, tmp_path: Path
) -> None:
    sink = SinkProcess(platform, target, tmp_path, module=FROZEN, VENUECODE_SINK__STALL_S="6")
    sink.wait_until_ready()
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    platform.send(platform.topics.visits, [("a" * 32, json.dumps(visit_document("a" * 32, now_ms, 0)).encode())])
    _says_so_and_ends(sink)


def test_a_sink_whose_name_another_one_took_ends_to_be_restarted(
    platform: WorkerPlatform, target: ClickHouseTarget, tmp_path: Path
) -> None:
    first = SinkProcess(platform, target, tmp_path, ("--instance-id", "storeroom"))
    second = None
    try:
        first.wait_until_ready()
        second = SinkProcess(platform, target, tmp_path, ("--instance-id", "storeroom"))
        wait_until(lambda: first.process.poll() is not None, 60, "the first to end by itself")
        assert first.process.returncode == 70, first.log()
        assert "a member no more" in first.log()
        second.wait_until_ready()
    finally:
        for sink in filter(None, (first, second)):
            sink.kill()
