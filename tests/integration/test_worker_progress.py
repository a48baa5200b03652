"""The watchdog on a real broker: input that waits while the committed offset stands still ends the worker."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from infra.embedded.kafka import EmbeddedKafka
from streams.batching.batch import Place
from streams.batching.ledger import OffsetLedger
from streams.config import WorkerConfig
from streams.metrics import WorkerMetrics
from streams.progress import Progress
from streams.wall_clock import WallClock
from tests.support.worker_platform import WorkerPlatform
from tests.support.worker_scans import scan

pytestmark = pytest.mark.broker


async def _watch(platform: WorkerPlatform, is_open: bool, seconds: float) -> list[str]:
    """What the watchdog of a worker says that owns partition 0 and does nothing."""
    config = WorkerConfig(
        cluster=platform.cluster,
        topics=platform.topics,
        group=platform.group,
        alert_id_key=b"key",
        retention_ms=None,
        stall_s=0.4,
    )
    said: list[str] = []
    over = threading.Event()

    def fatal(message: str) -> None:
        said.append(message)
        over.set()

    progress = Progress(
        config,
        lambda: [0],
        lambda _: -1,
        OffsetLedger[Place](),
        lambda _: is_open,
        WorkerMetrics(),
        fatal,
        WallClock(60),
    )
    watching = asyncio.create_task(progress.watch())
    await asyncio.to_thread(over.wait, seconds)
    watching.cancel()
    return said


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers, partitions=1)


def test_a_worker_that_does_not_get_on_gives_up_and_says_where(platform: WorkerPlatform) -> None:
    platform.send_records(platform.topics.scans, "person_token", [scan(1, datetime.now(UTC))])
    said = asyncio.run(_watch(platform, is_open=True, seconds=15))
    assert said
    assert "partition 0 has stood at 0" in said[0]


def test_a_worker_without_input_does_not_give_up(platform: WorkerPlatform) -> None:
    assert asyncio.run(_watch(platform, is_open=True, seconds=1.5)) == []


def test_a_worker_that_waits_for_statuses_does_not_give_up(platform: WorkerPlatform) -> None:
    platform.send_records(platform.topics.scans, "person_token", [scan(1, datetime.now(UTC))])
    assert asyncio.run(_watch(platform, is_open=False, seconds=1.5)) == []
