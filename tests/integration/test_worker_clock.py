"""A worker whose clock is off and jumps decides what a sorted replay decides, and says that its clock is off."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.kafka import EmbeddedKafka
from schemas.health import Colour
from schemas.scan import Scan
from tests.support.recomputation import recompute
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform, WorkerProcess
from tests.support.worker_scans import scan, status, venue

pytestmark = pytest.mark.broker

PEOPLE = 12
HOUR_S = 3600
COLOURS: tuple[tuple[Colour, Colour], ...] = (("green", "red"), ("yellow", "green"), ("red", "yellow"))
"""Of the first status of a person and of the second, which supersedes it while scans go on."""
KEY = "key of this test"


def shuffled_scans(now: datetime) -> list[Scan]:
    """Scans of the last two days, up to two minutes ahead of the brokers' clock, in an order that is not theirs."""
    rng = random.Random(5)
    moments = [now + timedelta(seconds=rng.randint(-172_000, 120)) for _ in range(300)]
    return [
        scan(rng.randrange(PEOPLE), at, serial=serial, direction=rng.choice(("enter", "enter", "leave")))
        for serial, at in enumerate(moments)
    ]


def test_a_clock_that_is_an_hour_ahead_and_jumps_back_by_two_changes_no_verdict_and_is_warned_of(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    platform = WorkerPlatform(kafka.bootstrap_servers)
    now = datetime.now(UTC).replace(microsecond=0)
    statuses = [
        status(person, colour, now - timedelta(hours=30 - 20 * version), version=version + 1)
        for person in range(PEOPLE)
        for version, colour in enumerate(COLOURS[person % 3])
    ]
    platform.send_records(platform.topics.venues, "venue_id", [venue()])
    platform.send_records(platform.topics.statuses, "person_token", statuses)
    scans = shuffled_scans(now)
    ahead = tmp_path / "ahead"
    ahead.write_text(str(HOUR_S))
    worker = WorkerProcess(
        platform,
        tmp_path,
        module="tests.support.worker_with_clock",
        CLOCK_AHEAD=str(ahead),
        VENUECODE_WORKER__ALERT_ID_KEY=KEY,
    )
    try:
        worker.wait_until_ready()
        _send_and_wait(platform, scans[:150], 150)
        wait_until(lambda: "ahead of the brokers'" in _warning(worker), 30, "a warning of the clock")
        assert json.loads(worker.get("/ready")[1])["ready"]
        assert _ahead(worker) == pytest.approx(HOUR_S, abs=60)
        partial = tmp_path / "ahead.partial"
        partial.write_text(str(-HOUR_S))
        partial.replace(ahead)
        _send_and_wait(platform, scans[150:], 300)
        wait_until(lambda: "behind the brokers'" in _warning(worker), 30, "a warning of the clock")
        assert _ahead(worker) == pytest.approx(-HOUR_S, abs=60)
        assert worker.stop() == 0
    finally:
        worker.kill()
    expected = recompute(
        [each.to_json() for each in scans],
        [each.to_json() for each in statuses],
        [venue()],
        KEY.encode(),
        dedupe_ms=120 * 60_000,
        review_ms=10 * 60_000,
    )
    visits = platform.documents(platform.topics.visits)
    assert {
        visit["scan_id"]: (visit["person_token"], visit["colour"], visit["decision"], visit["category"])
        for visit in visits
    } == expected.visits
    assert len(visits) == len(scans)
    assert not any(visit["flags"] for visit in visits), "none is late by the brokers' clock"
    for level, ids in expected.alerts.items():
        assert {alert["alert_id"] for alert in platform.documents(platform.topics.alerts(level))} == ids  # type: ignore[arg-type]
    assert platform.read(platform.topics.dead_letters) == [], "none is too old or from the future by the brokers' clock"
    off = {round((datetime.fromisoformat(visit["processed_at"]) - now).total_seconds() / HOUR_S) for visit in visits}
    assert off == {1, -1}, "the worker did run by the clock that it was given"


def _send_and_wait(platform: WorkerPlatform, scans: list[Scan], visits: int) -> None:
    platform.send_records(platform.topics.scans, "person_token", scans)
    wait_until(lambda: platform.visits_stored() >= visits, 30, "a visit for every scan")


def _warning(worker: WorkerProcess) -> str:
    status_code, body = worker.get("/ready")
    found: dict[str, Any] = json.loads(body) if status_code else {}
    return " ".join(found.get("warnings", []))


def _ahead(worker: WorkerProcess) -> float:
    lines = worker.get("/metrics")[1].splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("venuecode_worker_clock_ahead_seconds "))
