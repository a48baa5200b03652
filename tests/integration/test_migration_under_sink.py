"""Tables are laid out anew while a sink inserts: what was sent is stored, each row once, in both orders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.sqlfiles import read_migrations
from sinks.clickhouse.target import ClickHouseTarget
from tests.integration.test_sink_process import SMALL, orders, visit
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.sink_process import running_sink
from tests.support.visit_rows import migrated_database
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]

FILES = read_migrations()
AGAIN = tuple(replace(file, number=len(FILES) + 1, name="compact_again") for file in FILES if file.name == "compact")
"""The migration that copies the visits, as one that a later version brings."""
BEFORE, AT_ONCE = 4_000, 400


@pytest.fixture
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, retention_days=14, changes_tables=True) as target:
        yield target


def test_visits_that_arrive_while_the_tables_are_copied_are_stored_once_in_both_orders(
    kafka: EmbeddedKafka, target: ClickHouseTarget, tmp_path: Path
) -> None:
    platform = WorkerPlatform(kafka.bootstrap_servers)
    client = target.client()
    migrated = threading.Event()
    failed: list[BaseException] = []

    def migrate() -> None:
        try:
            Migrator(target, 14, (*FILES, *AGAIN)).up()
        except BaseException as error:
            failed.append(error)
        finally:
            migrated.set()

    with running_sink(platform, target, tmp_path, **SMALL) as sink:
        platform.send(platform.topics.visits, map(visit, range(BEFORE)))
        wait_until(lambda: orders(client)[0] >= BEFORE // 2, 60, "the sink to be at it")
        migrating = threading.Thread(target=migrate)
        migrating.start()
        sent = BEFORE
        while not migrated.is_set():
            platform.send(platform.topics.visits, map(visit, range(sent, sent + AT_ONCE)))
            sent += AT_ONCE
        migrating.join()
        assert not failed
        platform.send(platform.topics.visits, map(visit, range(sent, sent + AT_ONCE)))
        sent += AT_ONCE
        wait_until(lambda: orders(client) == [sent] * 4, 90, "all that was sent to be stored once")
        assert sink.stop() == 0
    assert orders(client) == [sent] * 4
    client.close()
