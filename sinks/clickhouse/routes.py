"""Which topic fills which table, and how a record of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.alert import Alert
from schemas.exposure_window import ExposureWindow
from schemas.fast import FastDecoder
from schemas.health import HealthStatus
from schemas.topics import Topics
from schemas.venue import Venue
from schemas.visit import Visit

EARLIEST_YEAR, LATEST_YEAR = 1971, 2099
"""Times outside cannot be partitioned by day nor expire: ClickHouse's `DateTime` ends in 2106."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a null value (a tombstone) takes away: rows of `table` where `column` is the record's key."""

    table: str
    column: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Route:
    """From one topic to one table.

    Attributes:
        kind: label in metrics and logs.
        table: what the JSON lines are inserted into.
        written_per_row: rows that ClickHouse reports as written for one row: the input table and each order behind it.
        decoder: accepts exactly what the record's model accepts.
        times: the instants by which the table is partitioned, versioned or expires.
        erasure: None where a null value is a bad record.
        has_identity: whether a row can be found again by its place of origin.
    """

    kind: str
    table: str
    written_per_row: int
    decoder: FastDecoder[Any]
    times: Callable[[Any], Iterable[datetime]]
    erasure: Erasure | None = None
    has_identity: bool = False

    def in_range(self, records: Iterable[Any]) -> bool:
        """Whether all times are ones that ClickHouse can keep."""
        times = self.times
        years = {instant.year for record in records for instant in times(record)}
        return not years or (min(years) >= EARLIEST_YEAR and max(years) <= LATEST_YEAR)


def routes(topics: Topics) -> Mapping[str, Route]:
    """The routes by topic."""
    alert = Route("alerts", "alerts_input", 2, FastDecoder(Alert), lambda r: (r.scanned_at, r.detected_at))
    return {
        topics.visits: Route(
            "visits",
            "visits_input",
            3,
            FastDecoder(Visit),
            lambda r: (r.scanned_at, r.processed_at),
            has_identity=True,
        ),
        **dict.fromkeys(topics.all_alerts, alert),
        topics.venues: Route(
            "venues", "venues", 1, FastDecoder(Venue), lambda _: (), Erasure("venues", "venue_id", binary=False)
        ),
        topics.statuses: Route(
            "health",
            "health_input",
            2,
            FastDecoder(HealthStatus),
            lambda r: (r.issued_at,),
            Erasure("health_changes", "person_token", binary=True),
        ),
        topics.exposure_windows: Route(
            "windows",
            "exposure_windows",
            1,
            FastDecoder(ExposureWindow),
            lambda r: (r.starts_at, r.ends_at),
            Erasure("exposure_windows", "window_id", binary=False),
        ),
    }
