"""Looks which rows of a batch are already stored, by their identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from schemas.fast import epoch_ms
from schemas.visit import Visit
from sinks.clickhouse.batch import Rows
from sinks.clickhouse.routes import Route

_TABLES = ("visits", "visits_by_place")


@dataclass(slots=True)
class _Range:
    """The rows of a batch that came from one partition of one topic: their offsets and times, both bounds included."""

    first_offset: int
    last_offset: int
    earliest: datetime
    latest: datetime

    def widen(self, offset: int, instant: datetime) -> None:
        self.first_offset, self.last_offset = min(self.first_offset, offset), max(self.last_offset, offset)
        self.earliest, self.latest = min(self.earliest, instant), max(self.latest, instant)


def stored_rows(client: Client, route: Route, rows: Rows) -> list[bool]:
    """For every row whether it is in every order; an insert that was cut off may have filled only one of them.

    Args:
        client: connected to the database.
        route: of the visits.
        rows: visits whose values the decoder has accepted.
    """
    visits: list[Visit] = [route.decoder.decode(value) for value, _, _ in rows.records()]
    ranges: dict[tuple[str, int], _Range] = {}
    for visit in visits:
        source = (visit.source_topic, visit.source_partition)
        if source in ranges:
            ranges[source].widen(visit.source_offset, visit.scanned_at)
        else:
            ranges[source] = _Range(visit.source_offset, visit.source_offset, visit.scanned_at, visit.scanned_at)
    stored = {source: _stored_offsets(client, source, bounds) for source, bounds in ranges.items()}
    return [visit.source_offset in stored[visit.source_topic, visit.source_partition] for visit in visits]


def _stored_offsets(client: Client, source: tuple[str, int], bounds: _Range) -> set[int]:
    """Offsets within the bounds that every order has."""
    orders: list[set[int]] = []
    for table in _TABLES:
        # The times are there for the partitions (days) that need not be read; a stored time is cut to milliseconds.
        found = client.query(
            f"SELECT source_offset FROM {table} WHERE source_topic = {{topic:String}} "
            "AND source_partition = {partition:UInt32} AND source_offset BETWEEN {first:UInt64} AND {last:UInt64} "
            "AND scanned_at >= fromUnixTimestamp64Milli({earliest:Int64}) "
            "AND scanned_at <= fromUnixTimestamp64Milli({latest:Int64})",
            parameters={
                "topic": source[0],
                "partition": source[1],
                "first": bounds.first_offset,
                "last": bounds.last_offset,
                "earliest": epoch_ms(bounds.earliest),
                "latest": epoch_ms(bounds.latest),
            },
        )
        orders.append({row[0] for row in found.result_rows})
    return set.intersection(*orders)
