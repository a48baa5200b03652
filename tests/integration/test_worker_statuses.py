"""The worker's statuses over a restart: snapshots save reading, the erased stay erased, no wait is without end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.support.topic_settings import COMPACT_SOON, change_topic
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform, WorkerProcess, running_worker
from tests.support.worker_scans import scan, status, token

pytestmark = pytest.mark.broker


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


def _colours(platform: WorkerPlatform, visits: int) -> dict[str, str]:
    """The latest colour of each person, once there are so many visits."""
    wait_until(lambda: platform.visits_stored() >= visits, 30, "a visit for every scan")
    return {visit["person_token"]: visit["colour"] for visit in platform.documents(platform.topics.visits)}


def _loaded(worker: WorkerProcess) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in worker.log().splitlines() if line.startswith("{")]
    return [entry for entry in entries if entry["event"].startswith("status_snapshot")]


def _with_snapshots(directory: Path) -> dict[str, str]:
    return {
        "VENUECODE_WORKER__SNAPSHOT_DIR": str(directory / "snapshots"),
        "VENUECODE_WORKER__SNAPSHOT_EVERY_S": "3600",
        "VENUECODE_LOG_FORMAT": "json",
    }


def test_after_a_restart_only_what_is_new_is_read_and_an_erased_person_stays_erased(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    settings = _with_snapshots(tmp_path)
    since = now - timedelta(hours=1)
    platform.send_records(platform.topics.statuses, "person_token", [status(n, "red", since) for n in range(100)])
    with running_worker(platform, tmp_path, **settings) as first:
        platform.send_records(
            platform.topics.statuses, "person_token", [status(n, "yellow", since, version=2) for n in range(50)]
        )
        platform.send_records(platform.topics.scans, "person_token", [scan(0, now)])
        _colours(platform, 1)
        assert first.stop() == 0
    platform.send(platform.topics.statuses, [(token(1), None)])
    platform.send_records(platform.topics.statuses, "person_token", [status(60, "green", since, version=2)])
    with running_worker(platform, tmp_path, **settings) as second:
        platform.send_records(platform.topics.scans, "person_token", [scan(n, now, serial=1) for n in range(101)])
        colours = _colours(platform, 102)
        entries = _loaded(second)
        assert {entry["event"] for entry in entries} == {"status_snapshot_loaded"}
        assert sum(entry["persons"] for entry in entries) == 100
        assert sum(entry["records_left"] for entry in entries) == 2
    expected = {token(n): "yellow" if n < 50 else "red" for n in range(100)}
    assert colours == {**expected, token(1): "unknown", token(60): "green", token(100): "unknown"}


def test_who_was_erased_and_registered_again_is_known_as_now_though_compaction_took_the_tombstone(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    since, statuses = now - timedelta(hours=1), platform.topics.statuses
    platform.send_records(statuses, "person_token", [status(n, "red", since, version=5) for n in range(100)])
    with running_worker(platform, tmp_path, **_with_snapshots(tmp_path)) as first:
        platform.send_records(platform.topics.scans, "person_token", [scan(0, now)])
        _colours(platform, 1)
        assert first.stop() == 0
    change_topic(platform.cluster, statuses, COMPACT_SOON)
    platform.send(statuses, [(token(1), None)])
    platform.send_records(statuses, "person_token", [status(1, "green", since, version=1)])

    def compacted() -> bool:
        platform.send_records(statuses, "person_token", [status(n, "red", since) for n in range(100, 140)])
        return all(message.value() is not None for message in platform.read(statuses))

    wait_until(compacted, 60, "compaction")
    with running_worker(platform, tmp_path, **_with_snapshots(tmp_path)) as second:
        platform.send_records(platform.topics.scans, "person_token", [scan(n, now, serial=1) for n in range(3)])
        assert _colours(platform, 4) == {token(0): "red", token(1): "green", token(2): "red"}
        assert "status_snapshot_given_up" in {entry["event"] for entry in _loaded(second)}


def test_a_worker_that_cannot_read_the_statuses_in_time_ends_and_has_decided_nothing(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    platform.send_records(platform.topics.statuses, "person_token", [status(n, "red", now) for n in range(100)])
    platform.send_records(platform.topics.scans, "person_token", [scan(n, now) for n in range(100)])
    worker = WorkerProcess(platform, tmp_path, VENUECODE_WORKER__STATUS_WAIT_S="0.000001")
    try:
        assert worker.process.wait(40) != 0
    finally:
        worker.kill()
    assert "VENUECODE_WORKER__STATUS_WAIT_S" in worker.log()
    assert platform.visits_stored() == 0
    assert sum(platform.committed().values()) == 0
