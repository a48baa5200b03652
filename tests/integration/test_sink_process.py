"""The sink as a process on real Kafka and real ClickHouse: sent is stored, each once, whatever is killed."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from infra.lag import GroupLag
from schemas.dead_letter import DeadLetter
from sinks.clickhouse import queries
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.sink_process import SinkProcess, running_sink
from tests.support.visit_rows import migrated_database, visit_document
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]

NOW = int(time.time() * 1000)
SMALL = {"VENUECODE_SINK__BATCH_ROWS": "700", "VENUECODE_SINK__BATCH_SECONDS": "0.05"}


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


@pytest.fixture
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, retention_days=14) as target:
        yield target


@pytest.fixture
def client(target: ClickHouseTarget) -> Iterator[Any]:
    client = target.client()
    yield client
    client.close()


def visit(number: int, **changes: Any) -> tuple[str, bytes]:
    """Key and value of one of many visits, of the last day."""
    person = f"{number % 97:032x}"
    document = visit_document(
        person,
        NOW - 86_400_000 + number * 1000,
        number,
        venue_id=f"V-{number % 13}",
        direction="leave" if number % 5 == 0 else "enter",
        source_partition=number % 4,
        **changes,
    )
    return person, json.dumps(document).encode()


def orders(client: Any) -> list[int]:
    """Visits that each order shows, and how many different ones."""
    sql = "SELECT count(), uniqExact(source_topic, source_partition, source_offset) FROM "
    return [*client.query(sql + "all_visits").result_rows[0], *client.query(sql + "all_visits_by_place").result_rows[0]]


def test_sent_is_stored_once_though_the_sink_is_killed_twice_and_the_worker_repeats_itself(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    rng = random.Random(5)
    total, wave = 12_000, 4_000
    for start in range(0, total, wave):
        sink = SinkProcess(platform, target, tmp_path, ["--instance-id", "one"], **SMALL)
        try:
            repeated = [visit(rng.randrange(start + 1)) for _ in range(300)]
            platform.send(platform.topics.visits, [*map(visit, range(start, start + wave)), *repeated])
            if start + wave < total:
                _wait_for_visits(client, start + rng.randrange(1, wave))
                sink.kill()
            else:
                _wait_for_visits(client, total)
                wait_until(lambda: _lag(platform) == 0, 30, "the offsets to be committed")
                assert sink.stop() == 0
        finally:
            sink.kill()
    assert orders(client) == [total] * 4


def _wait_for_visits(client: Any, least: int) -> None:
    wait_until(lambda: queries.visits_stored(client) >= least, 90, f"{least} visits to be stored")


def _lag(platform: WorkerPlatform) -> int:
    topic = platform.topics.visits
    with GroupLag(platform.cluster, platform.topics.prefix + "sink") as progress:
        return progress.records([topic])[topic]


def test_rows_written_but_not_committed_are_found_and_those_that_reached_one_order_only_are_completed(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    platform.send(platform.topics.visits, map(visit, range(500)))
    with running_sink(platform, target, tmp_path) as sink:
        wait_until(lambda: sink.metric("rows_total") == 500, 30, "the rows to be stored")
    client.command("DELETE FROM visits_by_place WHERE source_offset >= 300")
    group = {"VENUECODE_SINK__GROUP": platform.topics.prefix + "another"}
    with running_sink(platform, target, tmp_path, **group) as sink:
        wait_until(lambda: sink.metric("rows_found_total") == 300, 30, "the rows to be found")
        platform.send(platform.topics.visits, map(visit, range(500, 600)))
        wait_until(lambda: sink.metric("rows_total") == 200 + 100, 30, "the missing and the new rows to be stored")
    assert orders(client) == [600] * 4
    assert client.query("SELECT count() FROM visits_by_place").result_rows == [(600,)], "no row was written twice"


def test_while_clickhouse_is_away_the_backlog_waits_in_kafka_and_nothing_is_lost_or_doubled(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = EmbeddedClickHouse(tmp_path / "clickhouse", port=port)
    server.start()
    try:
        target = ClickHouseTarget(port=port, database="away")
        Migrator(target, 14).up()
        with running_sink(platform, target, tmp_path, **SMALL) as sink:
            platform.send(platform.topics.visits, map(visit, range(3000)))
            wait_until(lambda: sink.metric("rows_total") >= 700, 30, "rows to be on their way")
            server.kill()
            platform.send(platform.topics.visits, map(visit, range(3000, 9000)))
            wait_until(lambda: sink.metric("retries_total") >= 2, 30, "the sink to notice")
            assert sink.get("/ping")[0] == 200
            assert sink.get("/ready")[0] == 503
            assert sink.metric("buffered_rows") <= 2 * (700 + 500)
            server.start()
            client = target.client()
            wait_until(lambda: queries.visits_stored(client) == 9000, 60, "every visit to be stored")
            assert orders(client) == [9000] * 4
            wait_until(lambda: sink.get("/ready")[0] == 200, 10, "the sink to be ready again")
            client.close()
    finally:
        server.stop()


def test_a_stop_writes_and_commits_what_was_read_and_a_restart_reads_nothing_twice(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    platform.send(platform.topics.visits, map(visit, range(1000)))
    with running_sink(platform, target, tmp_path, VENUECODE_SINK__BATCH_SECONDS="60") as sink:
        wait_until(lambda: sink.metric("records_total") == 1000, 30, "the records to be read")
        assert queries.visits_stored(client) == 0, "the batch is not due"
        assert sink.stop() == 0, sink.log()
    assert queries.visits_stored(client) == 1000
    with running_sink(platform, target, tmp_path, **SMALL) as sink:
        platform.send(platform.topics.visits, [visit(1000)])
        wait_until(lambda: queries.visits_stored(client) == 1001, 30, "the one new visit")
        assert sink.metric("records_total") == 1


def test_a_stop_while_clickhouse_is_away_ends_soon_and_commits_nothing(
    platform: WorkerPlatform, tmp_path: Path
) -> None:
    nowhere = ClickHouseTarget(port=1, database="none")
    sink = SinkProcess(platform, nowhere, tmp_path)
    try:
        wait_until(lambda: sink.metric("retries_total") >= 1, 30, "the sink to look for ClickHouse")
        assert sink.stop() == 0, sink.log()
    finally:
        sink.kill()


def test_bad_visits_become_dead_letters_with_origin_and_reason_and_the_others_are_stored(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    bad: list[tuple[bytes | None, str]] = [
        (b"not json", "not_json"),
        (None, "null_value"),
        (b"\xff\xfe", "bad_utf8"),
        (b'{"person_token":"x"}', "missing_field"),
        (visit(1, decision="shrug")[1], "unknown_value"),
        (visit(1, scanned_at="1923-01-01T00:00:00Z")[1], "out_of_range"),
        (b'{"x":' + b"[" * 50_000, "too_deep"),
        (b'{"x":"' + b"y" * 2_000_000 + b'"}', "too_large"),
    ]
    records: list[tuple[str | None, bytes | None]] = list(map(visit, range(200)))
    for number, (value, _) in enumerate(bad):
        records.insert(number * 20, ("k", value))
    platform.send(platform.topics.visits, records)
    with running_sink(platform, target, tmp_path):
        wait_until(lambda: queries.visits_stored(client) == 200, 30, "the good visits to be stored")
        wait_until(lambda: sum(platform.ends(platform.topics.dead_letters).values()) == len(bad), 30, "dead letters")
    letters = [
        DeadLetter.from_message(message.key(), message.value(), message.headers())
        for message in platform.read(platform.topics.dead_letters)
    ]
    values = {(letter.source_partition, letter.source_offset): letter.value for letter in letters}
    messages = platform.read(platform.topics.visits)
    sent = {(message.partition(), message.offset()): message.value() for message in messages}
    assert all(sent[origin] == value for origin, value in values.items())
    assert {letter.source_topic for letter in letters} == {platform.topics.visits}
    assert sorted(str(letter.value)[:40] + letter.reason for letter in letters) == sorted(
        str(value)[:40] + reason for value, reason in bad
    )


def test_a_time_that_only_clickhouse_cannot_read_does_not_stop_the_sink(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    odd = visit(1, stay_until="2026-03-01t08:00:00z")
    platform.send(platform.topics.visits, [visit(0), odd, visit(2)])
    with running_sink(platform, target, tmp_path):
        wait_until(lambda: queries.visits_stored(client) == 3, 30, "all three visits")
    kept = client.query("SELECT toString(stay_until) FROM all_visits WHERE source_offset = 1").result_rows
    assert kept == [("2026-03-01 08:00:00.000",)]


def test_a_topic_full_of_rubbish_is_not_drained_and_the_sink_says_why(
    platform: WorkerPlatform, target: ClickHouseTarget, tmp_path: Path
) -> None:
    platform.send(platform.topics.visits, [(f"{n:032x}", b"rubbish") for n in range(30_000)])
    sink = SinkProcess(platform, target, tmp_path)
    try:
        assert sink.process.wait(60) == 1
    finally:
        sink.kill()
    assert "records of" in sink.log()
    assert "are bad" in sink.log()
    assert platform.topics.visits in sink.log()
    assert sum(platform.ends(platform.topics.dead_letters).values()) < 20_000


def test_a_sink_without_migrations_ends_with_exit_code_1_and_says_what_to_run(
    platform: WorkerPlatform, clickhouse: ClickHouseServer, clickhouse_database: str, tmp_path: Path
) -> None:
    bare = ClickHouseTarget(host=clickhouse.host, port=clickhouse.port, database=clickhouse_database)
    sink = SinkProcess(platform, bare, tmp_path)
    try:
        assert sink.process.wait(30) == 1
        assert "venuecode migrate up" in " ".join(sink.log().split())
    finally:
        sink.kill()


def test_two_sinks_of_a_group_share_the_partitions(
    platform: WorkerPlatform, target: ClickHouseTarget, client: Any, tmp_path: Path
) -> None:
    with (
        running_sink(platform, target, tmp_path, **SMALL) as one,
        running_sink(platform, target, tmp_path, **SMALL) as two,
    ):
        wait_until(lambda: one.metric("partitions") and two.metric("partitions"), 30, "both to have partitions")
        platform.send(platform.topics.visits, map(visit, range(4000)))
        wait_until(lambda: queries.visits_stored(client) == 4000, 60, "every visit to be stored")
        assert orders(client) == [4000] * 4
