"""The worker as a process on a real broker: colours, alerts, dead letters, statuses before scans, a clean stop."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.kafka import EmbeddedKafka
from schemas.alert import Alert
from schemas.dead_letter import DeadLetter
from schemas.metrics import EXPORTED
from schemas.visit import Visit
from streams.alert_messages import APPENDED_AT
from tests.support import exposition
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform, WorkerProcess, every, running_worker
from tests.support.worker_scans import scan, status, token, venue

pytestmark = pytest.mark.broker


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


def _visits_are_all_there(platform: WorkerPlatform, dead: int = 0) -> None:
    def complete() -> bool:
        return sum(platform.ends(platform.topics.visits).values()) + dead >= sum(
            platform.ends(platform.topics.scans).values()
        )

    wait_until(complete, 30, "a visit for every good scan")


def test_every_colour_is_decided_with_the_status_that_was_there_before_the_worker(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    colours = ("green", "yellow", "red", "unknown")
    known = [status(n, colours[n % 4], now - timedelta(hours=1)) for n in range(400) if n % 4 != 3]  # type: ignore[arg-type]
    platform.send_records(platform.topics.venues, "venue_id", [venue()])
    platform.send_records(platform.topics.statuses, "person_token", known)
    platform.send_records(platform.topics.scans, "person_token", [scan(n, now) for n in range(400)])
    with running_worker(platform, tmp_path) as worker:
        _visits_are_all_there(platform)
        visits = [Visit.model_validate_json(message.value()) for message in platform.read(platform.topics.visits)]
        assert {visit.person_token: visit.colour for visit in visits} == {token(n): colours[n % 4] for n in range(400)}
        assert {visit.category for visit in visits} == {"restaurant"}
        assert worker.stop() == 0
    alerts = platform.read(*platform.topics.all_alerts)
    found = [Alert.model_validate_json(message.value()) for message in alerts]
    assert {alert.person_token for alert in found if alert.level == "red"} == {token(n) for n in range(2, 400, 4)}
    assert {alert.person_token for alert in found if alert.level == "yellow"} == {token(n) for n in range(1, 400, 4)}
    assert len([alert for alert in found if alert.level == "review"]) == 1
    assert {message.key() for message in alerts} == {b"140105"}
    appended = {message.timestamp()[1] for message in platform.read(platform.topics.scans)}
    assert {int(dict(message.headers())[APPENDED_AT]) for message in alerts} <= appended


def test_every_kind_of_bad_scan_becomes_a_dead_letter_and_the_records_around_it_go_on(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    person, key = 7, token(7)
    good = scan(person, now).to_json()
    fields = json.loads(good)
    bad: dict[str, tuple[bytes | str | None, bytes | None]] = {
        "not_json": (key, b"scan!"),
        "wrong_type": (key, json.dumps({**fields, "gateway": 5}).encode()),
        "missing_field": (key, json.dumps({k: v for k, v in fields.items() if k != "venue_id"}).encode()),
        "unknown_value": (key, json.dumps({**fields, "channel": "pigeon"}).encode()),
        "null_value": (key, None),
        "too_large": (key, json.dumps({**fields, "note": "x" * 2_000_000}).encode()),
        "too_deep": (key, b'{"a":' + b"[" * 20_000),
        "bad_utf8": (key, good.replace(b"gateway-1", b"gate\xff\xfe")),
        "too_far_in_the_future": (key, scan(person, now + timedelta(hours=1)).to_json()),
        "older_than_retention": (key, scan(person, now - timedelta(days=15)).to_json()),
        "empty_key": (b"", good),
        "key_mismatch": (token(8), good),
        "out_of_range": (key, json.dumps({**fields, "venue_id": ""}).encode()),
    }
    # As large as the topic takes, and incompressible: with its headers, the dead letter is larger still.
    bad["too_large, and no larger record exists"] = (key, random.Random(1).randbytes(4 * 1024 * 1024 - 200))
    for record in bad.values():
        platform.send(platform.topics.scans, [(key, good), record, (key, good)])
    origins = {
        (message.partition(), message.offset()): (message.key(), message.value())
        for message in platform.read(platform.topics.scans)
    }
    with running_worker(platform, tmp_path):
        _visits_are_all_there(platform, dead=len(bad))
        wait_until(
            lambda: sum(platform.ends(platform.topics.dead_letters).values()) == len(bad), 20, "all dead letters"
        )
    letters = [
        DeadLetter.from_message(message.key(), message.value(), message.headers())
        for message in platform.read(platform.topics.dead_letters)
    ]
    assert sorted(letter.reason for letter in letters) == sorted(reason.partition(",")[0] for reason in bad)
    for letter in letters:
        assert letter.source_topic == platform.topics.scans
        raw_key, raw_value = origins[letter.source_partition, letter.source_offset]
        # librdkafka does not tell an empty key from none when it produces.
        assert (letter.key or b"", letter.value or b"") == (raw_key or b"", raw_value or b"")
    places = {(letter.source_partition, letter.source_offset) for letter in letters}
    assert set(platform.identities()) == set(origins) - places


def test_bad_statuses_and_venues_become_dead_letters_once_and_the_others_count(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    good = status(1, "red", now - timedelta(hours=1))
    platform.send(platform.topics.venues, [("V-1", b"venue?"), ("V-1", venue().to_json()), ("V-2", venue().to_json())])
    platform.send(
        platform.topics.statuses,
        [
            (token(1), b"{}"),
            (token(1), good.to_json()),
            (token(1), status(1, "green", now, version=0).to_json()),
            (token(2), status(3, "green", now).to_json()),
            ("nobody", None),
        ],
    )
    platform.send_records(platform.topics.scans, "person_token", [scan(1, now)])
    expected = {
        (platform.topics.venues, "not_json"),
        (platform.topics.venues, "key_mismatch"),
        (platform.topics.statuses, "missing_field"),
        (platform.topics.statuses, "key_mismatch"),
    }

    def letters() -> list[DeadLetter]:
        return [
            DeadLetter.from_message(message.key(), message.value(), message.headers())
            for message in platform.read(platform.topics.dead_letters)
        ]

    with running_worker(platform, tmp_path) as worker:
        _visits_are_all_there(platform)
        wait_until(lambda: len(letters()) == 5, 20, "the dead letters of statuses and venues")
        assert worker.stop() == 0
    with running_worker(platform, tmp_path):
        assert {(letter.source_topic, letter.reason) for letter in letters()} == expected
        assert len(letters()) == 5
    (visit,) = platform.documents(platform.topics.visits)
    assert (visit["colour"], visit["flags"]) == ("red", [])


def test_changes_of_status_and_venue_count_while_the_worker_runs_and_its_health_pages_answer(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with running_worker(platform, tmp_path) as worker:
        assert worker.get("/ping") == (200, "Ok.\n")
        assert json.loads(worker.get("/ready")[1]) == {"ready": True, "waiting_for": [], "warnings": []}
        assert worker.get("/nothing")[0] == 404
        platform.send_records(platform.topics.venues, "venue_id", [venue()])
        platform.send_records(platform.topics.statuses, "person_token", [status(1, "yellow", now)])
        wait_until(lambda: "venuecode_worker_statuses 1.0" in worker.get("/metrics")[1], 10, "the status")
        wait_until(lambda: "venuecode_worker_venues 1.0" in worker.get("/metrics")[1], 10, "the venue")
        platform.send_records(platform.topics.scans, "person_token", [scan(1, now)])
        _visits_are_all_there(platform)
        alerted = "venuecode_worker_alert_seconds_count 1.0"
        wait_until(lambda: alerted in worker.get("/metrics")[1], 10, "the alert to be counted")
        metrics = worker.get("/metrics")[1]
    assert 'venuecode_worker_decisions_total{decision="refuse"} 1.0' in metrics
    assert exposition.problems(metrics, EXPORTED["worker"], [token(1)]) == []
    (visit,) = platform.documents(platform.topics.visits)
    assert (visit["colour"], visit["area_code"]) == ("yellow", "140105")


def test_a_clean_stop_commits_everything_and_leaves_the_group_at_once(platform: WorkerPlatform, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    platform.send_records(platform.topics.scans, "person_token", [scan(n, now) for n in range(3000)])
    with running_worker(platform, tmp_path) as worker:
        _visits_are_all_there(platform)
        assert worker.stop() == 0
        assert platform.committed() == platform.ends(platform.topics.scans)
    with running_worker(platform, tmp_path) as successor:
        assert successor.partitions() == 4
    assert sorted(platform.identities()) == sorted(every(platform, platform.topics.scans))


def test_a_topic_full_of_rubbish_is_not_drained_and_the_worker_says_why(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    platform.send(platform.topics.scans, [(token(n), b"rubbish") for n in range(30_000)])
    worker = WorkerProcess(platform, tmp_path)
    try:
        assert worker.process.wait(30) != 0
    finally:
        worker.kill()
    assert "are bad" in worker.log()
    assert sum(platform.committed().values()) < 20_000
    assert sum(platform.ends(platform.topics.dead_letters).values()) < 20_000


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"VENUECODE_KAFKA__TOPIC_PREFIX": "nowhere."}, "venuecode topics apply"),
        ({"VENUECODE_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "SASL"),
    ],
)
def test_a_worker_that_cannot_work_says_what_to_do(
    platform: WorkerPlatform, tmp_path: Path, variables: dict[str, Any], message: str
) -> None:
    worker = WorkerProcess(platform, tmp_path, **variables)
    try:
        assert worker.process.wait(40) == 1
    finally:
        worker.kill()
    assert message in worker.log()
    assert "Traceback" not in worker.log()
