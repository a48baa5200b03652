"""The whole pipeline on real servers, over a city: everything stored once, decided rightly, and the contacts found.

`tests/faults` kills and cuts it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from infra.demo.stack import Stack
from infra.embedded.kafka import EmbeddedKafka
from infra.lag import topic_ends
from infra.settings import ClickHouseSettings, KafkaSettings, Settings
from infra.targets import clickhouse_target
from producers.publisher import Publisher
from producers.simulator import Case, City, CityConfig, Scenario, cases_within, plan_case
from schemas.kafka import ClientConfig, consumer_config
from sinks.clickhouse.queries import contacts, meetings, visits_stored
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.recomputation import Expected, recompute

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]

CONFIG = CityConfig(
    seed=11, residents=6000, venues=500, bad_share=0.003, late_share=0.02, changes_per_hour=20, red_share=0.002
)
MORNING, HOURS = 7, 5


@dataclass(frozen=True, slots=True)
class Sent:
    """Everything that was sent, and the truth about the planted cases."""

    scans: list[bytes]
    bad: int
    expected: Expected
    cases: list[Case]
    city: City


@dataclass(frozen=True, slots=True)
class Finished:
    """A pipeline after everything has gone through."""

    stack: Stack
    sent: Sent
    client: Any


@pytest.fixture(scope="module")
def finished(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Finished]:
    """Sends a city to a running worker and a running sink, and waits until all of it is through."""
    mark = uuid.uuid4().hex[:8]
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"e2e-{mark}.", partitions=4),
        clickhouse=ClickHouseSettings(host=clickhouse.host, port=clickhouse.port, database=f"e2e_{mark}"),
    )
    stack = Stack(settings, tmp_path_factory.mktemp("e2e"))
    try:
        stack.prepare()
        sent = send(stack)
        client = clickhouse_target(settings).client()
        yield Finished(stack, sent, client)
        client.close()
    finally:
        stack.stop()
        with_client = clickhouse.client()
        with_client.command(f"DROP DATABASE IF EXISTS e2e_{mark} SYNC")
        with_client.close()


def send(stack: Stack) -> Sent:
    city = City.build(CONFIG)
    # The last morning that is over: as many scans whatever the hour of the run.
    now = datetime.now(city.zone)
    start = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if start + timedelta(hours=HOURS + 1) > now:
        start -= timedelta(days=1)
    start_ms = int(start.timestamp() * 1000)
    spans = cases_within(start_ms, HOURS * 3600, 3, city.zone)
    cases = [plan_case(CONFIG, city.venue_table, number, span) for number, span in enumerate(spans)]
    scenario = Scenario(city, start_ms, start_ms + HOURS * 3_600_000, cases)
    venues = list(city.venues())
    statuses: list[tuple[bytes | None, bytes | None]] = [
        one for keys, values in scenario.statuses() for one in zip(keys, values, strict=True)
    ]
    batches = list(scenario.batches())
    statuses += [
        one for batch in batches if batch.what == "statuses" for one in zip(batch.keys, batch.values, strict=True)
    ]
    scans = [batch for batch in batches if batch.what == "scans"]
    topics = stack.topics
    with Publisher(stack.settings.kafka.librdkafka()) as publisher:
        for venue in venues:
            publisher.publish(topics.venues, venue.venue_id.encode(), venue.to_json())
        # All versions first: what is in force is decided by event time, so the order of arrival must not matter.
        for status in statuses:
            publisher.publish(topics.statuses, *status)
        publisher.flush()
        stack.start_service("worker")
        stack.start_service("sink")
        for batch in scans:
            for key, value in zip(batch.keys, batch.values, strict=True):
                publisher.publish(topics.scans, key, value)
        publisher.flush()
    good = [
        value
        for batch in scans
        for value, bad in zip(batch.values, batch.bad.tolist(), strict=True)
        if not bad and value is not None
    ]
    worker = stack.settings.worker
    expected = recompute(
        good,
        [value for _, value in statuses if value is not None],
        venues,
        worker.alert_id_key.get_secret_value().encode(),
        worker.dedupe_minutes * 60_000,
        worker.review_minutes * 60_000,
    )
    bad = sum(int(batch.bad.sum()) for batch in scans)
    client = clickhouse_target(stack.settings).client()
    stack.wait(lambda: visits_stored(client) >= len(good) and stack.lag() == (0, 0), "all visits", 120)
    client.close()
    return Sent(good, bad, expected, cases, city)


def records(cluster: ClientConfig, topic: str, ends: dict[int, int]) -> Iterator[Any]:
    """All messages of a topic, up to the given offsets."""
    consumer = Consumer(consumer_config(cluster, f"reader-{uuid.uuid4().hex[:8]}", enable_partition_eof=True))
    open_partitions = {partition for partition, end in ends.items() if end > 0}
    consumer.assign([TopicPartition(topic, partition, 0) for partition in open_partitions])
    while open_partitions:
        for message in consumer.consume(500, timeout=0.2):
            if message.error() is not None:
                open_partitions.discard(message.partition())
            else:
                yield message
    consumer.close()


def test_the_run_was_worth_its_name(finished: Finished) -> None:
    assert len(finished.sent.scans) > 10_000
    assert finished.sent.bad > 20
    assert all(finished.sent.expected.alerts[level] for level in ("red", "yellow", "review"))


def test_every_scan_sent_is_stored_once_and_nothing_else_is(finished: Finished) -> None:
    for table in ("all_visits", "all_visits_by_place"):
        identity = "count(), uniqExact(source_topic, source_partition, source_offset)"
        rows, identities = finished.client.query(f"SELECT {identity} FROM {table}").result_rows[0]
        assert (table, rows, identities) == (table, len(finished.sent.scans), len(finished.sent.scans))
    stored = {row[0] for row in finished.client.query("SELECT toString(scan_id) FROM all_visits").result_rows}
    assert stored == set(finished.sent.expected.visits)


def test_every_decision_equals_a_batch_recomputation(finished: Finished) -> None:
    columns = "toString(scan_id), person_token, toString(colour), toString(decision), toString(category)"
    answer = finished.client.query(f"SELECT {columns} FROM all_visits")
    found = {row[0]: tuple(row[1:]) for row in answer.result_rows}
    different = [scan for scan, expected in finished.sent.expected.visits.items() if found[scan] != expected]
    assert different == []


def test_the_alerts_raised_and_the_alerts_stored_equal_a_batch_recomputation(finished: Finished) -> None:
    stack = finished.stack
    for level, expected in finished.sent.expected.alerts.items():
        topic = stack.topics.alerts(level)  # type: ignore[arg-type]
        ends = topic_ends(stack.admin, topic).latest
        raised = {
            message.value().split(b'"alert_id":"')[1][:32].decode()
            for message in records(stack.settings.kafka.librdkafka(), topic, ends)
        }
        assert raised == expected
        stored = finished.client.query(
            "SELECT alert_id FROM all_alerts WHERE level = {level:String}", parameters={"level": level}
        )
        assert Counter(row[0] for row in stored.result_rows) == Counter(expected)


def test_every_bad_record_is_in_the_dead_letters_with_its_origin_and_a_reason(finished: Finished) -> None:
    stack = finished.stack
    topic = stack.topics.dead_letters
    origins = set()
    for message in records(stack.settings.kafka.librdkafka(), topic, topic_ends(stack.admin, topic).latest):
        headers = dict(message.headers())
        assert headers["source_topic"].decode() == stack.topics.scans
        assert headers["reason"]
        origins.add((headers["source_partition"], headers["source_offset"]))
    assert len(origins) == finished.sent.bad


def test_the_contacts_of_every_planted_case_equal_the_truth(finished: Finished) -> None:
    city = finished.sent.city
    for case in finished.sent.cases:
        truth = case.meetings(city.venue_table, city.zone)
        since = datetime.fromtimestamp(case.span.begin_ms / 1000, UTC) - timedelta(hours=1)
        until = datetime.fromtimestamp(case.span.end_ms / 1000, UTC) + timedelta(hours=1)
        found = meetings(finished.client, case.index, since, until)
        assert Counter((one.contact, one.venue_id, one.overlap_ms) for one in found) == Counter(
            (one.contact, one.venue_id, one.end_ms - one.start_ms) for one in truth
        )
        together = Counter[str]()
        for one in truth:
            together[one.contact] += (one.end_ms - one.start_ms) // 1000
        assert {one.contact: one.overlap_s for one in contacts(finished.client, case.index, since, until)} == together
        assert not {case.token(row) for row in case.decoys} & set(together)
