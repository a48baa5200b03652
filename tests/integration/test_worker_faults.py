"""Workers that are killed, join and leave in mid-run: nothing lost, nothing committed before it is visible."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.support.waiting import wait_until
from tests.support.worker_platform import VENUECODE, WorkerPlatform, WorkerProcess, every, running_worker
from tests.support.worker_scans import scan

pytestmark = pytest.mark.broker

SMALL_BATCHES = {"VENUECODE_WORKER__BATCH_ROWS": "25"}
"""So that a run lasts long enough to be cut in the middle, and many batches are under way."""


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


def _send(platform: WorkerPlatform, scans: int, first_person: int = 0) -> None:
    now = datetime.now(UTC)
    persons = range(first_person, first_person + scans)
    platform.send_records(platform.topics.scans, "person_token", [scan(person, now) for person in persons])


def _all_visible(platform: WorkerPlatform) -> None:
    scans = sum(platform.ends(platform.topics.scans).values())
    wait_until(lambda: platform.visits_stored() >= scans, 40, "a visit for every scan")
    wait_until(lambda: set(platform.identities()) == every(platform, platform.topics.scans), 20, "every scan's own")


def test_a_worker_killed_twice_in_mid_run_loses_nothing_and_commits_nothing_that_is_not_visible(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    total = 30_000
    _send(platform, total)
    for share in (0.15, 0.5):
        worker = WorkerProcess(platform, tmp_path, ["--instance-id", "one"], **SMALL_BATCHES)
        try:
            wait_until(lambda share=share: platform.visits_stored() > share * total, 30, "some visits")  # type: ignore[misc]
        finally:
            worker.kill()
        visible = set(platform.identities())
        assert len(visible) < total, "killed too late to prove anything"
        committed = platform.committed()
        assert {(number, n) for number, offset in committed.items() for n in range(offset)} <= visible
    assert sum(platform.committed().values()) > 0, "nothing was committed before the kills"
    with running_worker(platform, tmp_path, ["--instance-id", "one"]) as last:
        _all_visible(platform)
        assert last.stop() == 0
    assert platform.committed() == platform.ends(platform.topics.scans)


def test_two_workers_share_the_partitions_and_one_takes_over_when_the_other_is_killed(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    with running_worker(platform, tmp_path) as first, running_worker(platform, tmp_path) as second:
        wait_until(lambda: (first.partitions(), second.partitions()) == (2, 2), 15, "two partitions each")
        _send(platform, 2_000)
        _all_visible(platform)
        first.kill()
        _send(platform, 2_000, first_person=5_000)
        wait_until(lambda: second.partitions() == 4, 20, "the survivor to own everything")
        _all_visible(platform)


@pytest.mark.parametrize("module", [VENUECODE, "tests.support.worker_with_slow_commits"])
def test_a_worker_that_joins_and_one_that_leaves_in_mid_run_lose_nothing_and_repeat_nothing(
    platform: WorkerPlatform, tmp_path: Path, module: str
) -> None:
    _send(platform, 20_000)
    with running_worker(platform, tmp_path, module=module, **SMALL_BATCHES) as first:
        with running_worker(platform, tmp_path, module=module, **SMALL_BATCHES) as second:
            wait_until(lambda: second.partitions() == 2, 15, "the second to own its share")
            _send(platform, 10_000, first_person=50_000)
            assert second.stop() == 0
        wait_until(lambda: first.partitions() == 4, 15, "the first to own everything again")
        _all_visible(platform)
    assert sorted(platform.identities()) == sorted(every(platform, platform.topics.scans))
