"""What a soak keeps expires, and what is left is counted exactly."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from infra.bench.expiry import keep_minutes
from infra.bench.sums import check_sums
from infra.embedded.kafka import EmbeddedKafka
from infra.kafka_admin import connect
from infra.settings import ClickHouseSettings, KafkaSettings, Settings
from infra.topics import apply_topics, plan, read_topics
from schemas.errors import FatalError
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import insert_visits, migrated_database, visit_document

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]


@pytest.fixture
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, 14) as found:
        yield found


@pytest.fixture
def changing(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    """Whose tables may be changed."""
    with migrated_database(clickhouse, 14, changes_tables=True) as found:
        yield found


def test_topics_and_tables_of_movements_keep_minutes_and_all_others_what_they_kept(
    kafka: EmbeddedKafka, changing: ClickHouseTarget
) -> None:
    brokers = KafkaSettings(
        bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"t{uuid.uuid4().hex[:8]}.", partitions=2
    )
    settings = Settings(kafka=brokers, clickhouse=ClickHouseSettings(port=changing.port, database=changing.database))
    cluster = brokers.librdkafka()
    apply_topics(cluster, plan(settings))
    keep_minutes(settings, 1.5)
    found = read_topics(connect(cluster), plan(settings), 10)
    assert found[brokers.topics().scans].config["retention.ms"] == "90000"
    assert found[brokers.topics().visits].config["retention.ms"] == "90000"
    assert "retention.ms" not in found[brokers.topics().statuses].config
    client = changing.client()
    rows = client.query(
        "SELECT name, extract(create_table_query, 'toInterval(\\\\w+\\\\(\\\\d+\\\\))') FROM system.tables "
        "WHERE database = currentDatabase() AND create_table_query LIKE '%TTL %'"
    ).result_rows
    tables = {str(name): str(kept) for name, kept in rows}
    client.close()
    short = {table for table, kept in tables.items() if kept == "Second(90)"}
    assert short >= {"visits", "visits_by_place", "alerts"}
    assert {tables[table] for table in tables.keys() - short} == {"Day(14)"}


def test_the_sums_find_what_is_missing_among_what_is_kept_and_look_at_nothing_else(
    target: ClickHouseTarget,
) -> None:
    now_ms = time.time_ns() // 1_000_000
    client = target.client()
    insert_visits(client, (visit_document("a" * 32, now_ms - 3_600_000, offset) for offset in (0, 3)))
    insert_visits(client, (visit_document("b" * 32, now_ms, offset) for offset in (4, 5, 7)))
    with pytest.raises(FatalError, match="every offset of partition 0 once"):
        check_sums(target, 8, kept_s=600)
    insert_visits(client, [visit_document("c" * 32, now_ms, 6)])
    check_sums(target, 8, kept_s=600)
    with pytest.raises(FatalError, match="9 scans were sent"):
        check_sums(target, 9, kept_s=600)
    with pytest.raises(FatalError, match="every offset of partition 0 once"):
        check_sums(target, 8)
    insert_visits(client, (visit_document("d" * 32, now_ms - 3_600_000, offset) for offset in (1, 2)))
    check_sums(target, 8)
    client.close()
