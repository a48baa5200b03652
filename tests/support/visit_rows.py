"""Visits as they lie on the topic, and a database that takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.ids import uuid7
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return EPOCH + timedelta(milliseconds=ms)


def milliseconds(at: datetime) -> int:
    """A time as milliseconds since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def visit_document(person: str, at_ms: int, offset: int, **changes: Any) -> dict[str, Any]:
    """A valid visit; `changes` are fields of it."""
    text = instant(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "scan_id": uuid7(at_ms, offset),
        "person_token": person,
        "venue_id": "V-1",
        "point_id": "gate-1",
        "scanned_at": text,
        "direction": "enter",
        "channel": "phone",
        "trip": None,
        "gateway": "gateway-1",
        "category": "mall_supermarket",
        "area_code": "140105",
        "lat": 37.87,
        "lon": 112.55,
        "colour": "green",
        "labels": [],
        "status_version": 1,
        "status_age_s": 60,
        "decision": "admit",
        "stay_until": text,
        "flags": [],
        "source_topic": "venue.scans.v1",
        "source_partition": 0,
        "source_offset": offset,
        "processed_at": text,
        **changes,
    }


def insert_visits(client: Any, documents: Iterable[dict[str, Any]]) -> None:
    """Insert visits the way the sink does: JSON lines into the input table, one insert."""
    lines = b"\n".join(json.dumps(document).encode() for document in documents)
    if lines:
        settings = {"date_time_input_format": "best_effort", "optimize_on_insert": 0}
        client.raw_insert("visits_input", insert_block=lines, fmt="JSONEachRow", settings=settings)


@contextmanager
def migrated_database(
    server: ClickHouseServer, name: str, retention_days: int | None = None
) -> Iterator[ClickHouseTarget]:
    """A database with all tables and views, dropped at the end; without retention, so that fixed dates stay."""
    target = ClickHouseTarget(host=server.host, port=server.port, user=server.user, database=name)
    Migrator(target, retention_days).up()
    try:
        yield target
    finally:
        client = target.client(use_database=False)
        client.command(f"DROP DATABASE IF EXISTS {name} SYNC")
        client.close()
