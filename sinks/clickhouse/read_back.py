"""Looks which rows of a batch are already stored, by their identity."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from clickhouse_connect.driver.client import Client

from schemas.fast import epoch_ms
from sinks.clickhouse.batch import Rows

_TABLES = ("visits", "visits_by_place")


class _Identity(msgspec.Struct, gc=False):
    """The few fields of a visit that are needed to find it."""

    source_topic: str
    source_partition: int
    source_offset: int
    scanned_at: datetime


_decoder = msgspec.json.Decoder(_Identity)


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


def stored_rows(client: Client, rows: Rows, doubted: Container[int]) -> list[bool]:
    """For every row whether it is in every order; an insert that was cut off may have filled only one of them.

    Args:
        client: connected to the database.
        rows: visits that the decoder has accepted.
        doubted: partitions of the visits to look for; rows of others count as not stored.
    """
    visits = [_decoder.decode(value) for value in rows.values]
    ranges: dict[tuple[str, int], _Range] = {}
    for visit, partition in zip(visits, rows.partitions, strict=True):
        if partition not in doubted:
            continue
        source = (visit.source_topic, visit.source_partition)
        if source in ranges:
            ranges[source].widen(visit.source_offset, visit.scanned_at)
        else:
            ranges[source] = _Range(visit.source_offset, visit.source_offset, visit.scanned_at, visit.scanned_at)
    stored = {source: _stored_offsets(client, source, bounds) for source, bounds in ranges.items()}
    return [
        partition in doubted and visit.source_offset in stored[visit.source_topic, visit.source_partition]
        for visit, partition in zip(visits, rows.partitions, strict=True)
    ]


def note_late(client: Client, rows: Rows, stored: Sequence[bool]) -> None:
    """Have everybody's stays settled again from the earliest row on that was found stored, if it was late.

    The insert that stored it may have been cut off before it noted whose scans were late (`late_scans`).

    Args:
        client: connected to the database.
        rows: visits that the decoder has accepted.
        stored: what `stored_rows` says of them; at least one is.
    """
    found = (value for value, was_found in zip(rows.values, stored, strict=True) if was_found)
    earliest = min(_decoder.decode(value).scanned_at for value in found)
    client.command(
        "INSERT INTO late_scans SELECT now64(3, 'UTC'), [toFixedString('', 16)], made_at "
        "FROM (SELECT fromUnixTimestamp64Milli({earliest:Int64}, 'UTC') AS made_at) "
        "WHERE made_at < now64(3, 'UTC') - toIntervalMinute(5)",
        parameters={"earliest": epoch_ms(earliest)},
    )


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
