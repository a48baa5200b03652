"""Visits as they lie on the topic, and a database that takes them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.ids import uuid7
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.under_way import wait_for_inserts
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


_idle: dict[tuple[ClickHouseServer, int | None], list[_Emptied]] = {}


@contextmanager
def migrated_database(
    server: ClickHouseServer, retention_days: int | None = None, *, changes_tables: bool = False
) -> Iterator[ClickHouseTarget]:
    """A database with all tables and views, and nothing in them but what the migrations put there.

    It is emptied at the end, and given to the next who asks: to make one takes longer than most tests.

    Args:
        server: where it is.
        retention_days: of its tables; none: fixed dates stay.
        changes_tables: whoever asks changes tables or views: the database is dropped at the end.
    """
    idle = _idle.setdefault((server, retention_days), [])
    found = _Emptied(server, retention_days) if changes_tables or not idle else idle.pop()
    yield found.target
    if changes_tables:
        found.drop()
    else:
        found.empty()
        idle.append(found)


class _Emptied:
    """A migrated database that can be made as it was."""

    def __init__(self, server: ClickHouseServer, retention_days: int | None) -> None:
        name = f"migrated_{uuid.uuid4().hex}"
        self.target = ClickHouseTarget(host=server.host, port=server.port, user=server.user, database=name)
        Migrator(self.target, retention_days).up()
        self._client = self.target.client()
        of_tables = "WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'"
        names = self._client.query(f"SELECT name FROM system.tables {of_tables}").result_rows
        rows = {name: self._client.raw_query(f"SELECT * FROM {name}", fmt="Native") for (name,) in names}
        self._shipped = {name: block for name, block in rows.items() if block}
        self._names = list(rows)

    def empty(self) -> None:
        wait_for_inserts(self._client)  # of processes that were killed
        for name in self._names:
            self._client.command(f"TRUNCATE TABLE {name} SYNC")
        for name, block in self._shipped.items():
            self._client.raw_insert(name, insert_block=block, fmt="Native")

    def drop(self) -> None:
        self._client.command(f"DROP DATABASE IF EXISTS {self.target.database} SYNC")
        self._client.close()
