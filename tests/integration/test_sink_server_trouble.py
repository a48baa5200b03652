"""The sink while ClickHouse is in trouble: it waits and tries again; no good row is lost, doubled or set aside."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schemas.errors import ConfigurationError
from schemas.topics import Topics
from sinks.clickhouse.batch import Batch
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.routes import routes
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.writer import StoppedError, Writer
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.troubled_clickhouse import Trouble, TroubledServer, troubled
from tests.support.visit_rows import migrated_database, visit_document
from tests.support.waiting import wait_until

pytestmark = pytest.mark.clickhouse

TOPICS = Topics()
NOW = int(time.time() * 1000)

TROUBLES = {
    "too many parts": Trouble(252),
    "memory limit": Trouble(241),
    "not enough space": Trouble(243),
    "disk full while writing": Trouble(75),
    "cannot open a file": Trouble(76),
    "cannot read a file": Trouble(74),
    "cannot read all data": Trouble(33),
    "table is read-only": Trouble(242),
    "server is read-only": Trouble(164),
    "time-out": Trouble(159, 408),
    "too many queries": Trouble(202),
    "cancelled": Trouble(394),
    "aborted": Trouble(236),
    "logical error": Trouble(49),
    "unknown exception": Trouble(1002),
    "a balancer's answer": Trouble(None, 503),
    "a gateway's time-out": Trouble(None, 504),
    "no answer": Trouble(status=0),
    "stored, and the answer lost": Trouble(status=0, stored=True),
}


class Letters:
    """Counts dead letters instead of sending them."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, *_: object) -> None:
        self.sent += 1

    def flush(self) -> None:
        """Nothing is on its way."""


@pytest.fixture(scope="module")
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, retention_days=14) as target:
        yield target


@pytest.fixture
def server(clickhouse: ClickHouseServer) -> Iterator[TroubledServer]:
    with troubled(clickhouse) as proxy:
        yield proxy


def a_batch(partition: int, first: int, rows: int) -> Batch:
    documents = [
        visit_document("a" * 32, NOW - 1000 * offset, offset, source_partition=partition)
        for offset in range(first, first + rows)
    ]
    values = [json.dumps(document).encode() for document in documents]
    batch = Batch(1, 0.0)
    batch.rows_for(routes(TOPICS)[TOPICS.visits], TOPICS.visits).add(values, [partition] * rows, [*range(rows)])
    return batch


def a_writer(target: ClickHouseTarget, stopping: threading.Event | None = None) -> tuple[Writer, Letters, SinkMetrics]:
    letters, metrics = Letters(), SinkMetrics()
    stop = stopping or threading.Event()
    return Writer(target, metrics, letters, stop, 0.02, jitter=lambda: 0.0), letters, metrics  # type: ignore[arg-type]


def orders(target: ClickHouseTarget, partition: int) -> list[Any]:
    """Rows on disk and different ones, of both orders."""
    client = target.client()
    found = [
        client.query(
            f"SELECT count(), uniqExact(source_offset) FROM {table} WHERE source_partition = {{p:UInt32}}",
            parameters={"p": partition},
        ).result_rows[0]
        for table in ("visits", "visits_by_place")
    ]
    client.close()
    return found


def retries(metrics: SinkMetrics) -> float:
    return sum(
        sample.value
        for metric in metrics.retries.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


def test_no_trouble_of_the_server_costs_a_good_row_or_doubles_it(
    target: ClickHouseTarget, server: TroubledServer
) -> None:
    writer, letters, metrics = a_writer(replace(target, host=server.host, port=server.port))
    server.coming = [*TROUBLES.values()]
    writer.write(a_batch(1, 0, 50))
    writer.write(a_batch(1, 50, 50))
    writer.close()
    assert server.coming == []
    assert orders(target, 1) == [(100, 100)] * 2
    assert letters.sent == 0
    assert retries(metrics) == len(TROUBLES)


def test_a_bad_row_among_good_ones_is_set_aside_though_the_server_is_in_trouble_meanwhile(
    target: ClickHouseTarget, server: TroubledServer
) -> None:
    writer, letters, _ = a_writer(replace(target, host=server.host, port=server.port))
    batch = a_batch(2, 0, 21)
    server.refused = b'"source_offset":13,'
    server.coming = [Trouble(117, 400), Trouble(241), Trouble(252), Trouble(status=0)]
    writer.write(batch)
    writer.close()
    assert orders(target, 2) == [(20, 20)] * 2
    assert letters.sent == 1


def test_a_sink_that_stops_while_the_server_is_in_trouble_acknowledges_nothing(
    target: ClickHouseTarget, server: TroubledServer
) -> None:
    stopping = threading.Event()
    writer, letters, _ = a_writer(replace(target, host=server.host, port=server.port), stopping)
    server.coming = [Trouble(243)] * 10_000

    def stop_after_two() -> None:
        wait_until(lambda: server.inserts >= 2, 60, "a second attempt")
        stopping.set()

    stopper = threading.Thread(target=stop_after_two)
    stopper.start()
    with pytest.raises(StoppedError):
        writer.write(a_batch(3, 0, 10))
    stopper.join()
    writer.close()
    assert server.inserts >= 2
    assert (orders(target, 3), letters.sent) == ([(0, 0)] * 2, 0)


def test_what_no_repetition_mends_ends_the_sink_with_what_to_do(
    target: ClickHouseTarget, server: TroubledServer
) -> None:
    writer, letters, _ = a_writer(replace(target, host=server.host, port=server.port))
    server.coming = [Trouble(60, 404)]
    with pytest.raises(ConfigurationError, match="migrate up"):
        writer.write(a_batch(4, 0, 10))
    writer.close()
    assert letters.sent == 0


def test_parts_of_each_order_stay_within_their_bound_while_rows_come_in_all_the_time(target: ClickHouseTarget) -> None:
    """The short form of `venuecode bench sink --minutes 10`: small inserts one after the other are the worst case."""
    writer, _, _ = a_writer(target)
    client = target.client()
    inserts, rows, most = 80, 20, 0
    for number in range(inserts):
        writer.write(a_batch(5, number * rows, rows))
        counts = client.query(
            "SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts WHERE active "
            "AND database = {database:String} AND table LIKE 'visits%' GROUP BY table, partition)",
            parameters={"database": target.database},
        )
        most = max(most, counts.result_rows[0][0])
    writer.close()
    limits = client.query(
        "SELECT countIf(create_table_query LIKE '%parts_to_throw_insert = 300%') FROM system.tables "
        "WHERE database = {database:String} AND name IN ('visits', 'visits_by_place')",
        parameters={"database": target.database},
    )
    client.close()
    assert limits.result_rows == [(2,)], "the server itself refuses more"
    assert most <= 150, "the bound from which on inserts are slowed down"
    assert orders(target, 5) == [(inserts * rows, inserts * rows)] * 2
