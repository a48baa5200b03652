"""ClickHouse stores the same rows of visits that come as columns as of visits that come as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.topics import Topics
from sinks.clickhouse.routes import routes
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.visit_block import visit_block
from sinks.clickhouse.writer import INSERT_SETTINGS
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.plain_visits import VISITS, as_written
from tests.support.visit_rows import migrated_database

pytestmark = pytest.mark.clickhouse

VISITS_ROUTE = routes(Topics())[Topics().visits]
ORDERS = {
    "visits": "*, place, status_age_s, stay_until, scan_id, processed_at",
    "visits_by_place": "*, processed_at",
}


@pytest.fixture(scope="module")
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse) as migrated:
        yield migrated


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(VISITS, min_size=1, max_size=12, unique_by=lambda visit: visit["source_offset"]))
def test_columns_and_lines_of_visits_become_the_same_rows(
    target: ClickHouseTarget, visits: list[dict[str, Any]]
) -> None:
    values = [as_written(visit) for visit in visits]
    block = visit_block(values)
    assert block is not None
    client = target.client()
    found = []
    for form, body in (("Native", block), ("JSONEachRow", b"\n".join(values))):
        summary = client.raw_insert("visits_input", insert_block=body, fmt=form, settings=INSERT_SETTINGS)
        assert summary.written_rows == len(visits) * VISITS_ROUTE.written_per_row + VISITS_ROUTE.written_per_insert
        rows = {
            order: client.query(f"SELECT {columns} FROM {order} ORDER BY source_offset").result_rows
            for order, columns in ORDERS.items()
        }
        found.append(rows)
        for order in ORDERS:
            client.command(f"TRUNCATE TABLE {order} SYNC")
    client.close()
    assert found[0] == found[1]
    assert len(found[0]["visits"]) == len(found[0]["visits_by_place"]) == len(visits)
