"""Which topic fills which table, and how a record of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from schemas.alert import Alert
from schemas.exposure_window import ExposureWindow
from schemas.fast import FastDecoder
from schemas.health import HealthStatus
from schemas.topics import Topics
from schemas.venue import Venue
from schemas.visit import Visit
from sinks.clickhouse.visit_block import visit_block

_STORABLE = frozenset(range(1971, 2100))
"""Years; times outside cannot be partitioned by day nor expire: ClickHouse's `DateTime` ends in 2106."""


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
        written_per_insert: and for the insert as a whole.
        decoder: accepts exactly what the record's model accepts.
        block: values as columns of the table, where they are in their usual spelling, accepted and storable.
        years: of the instants by which the table is partitioned, versioned or expires.
        erasure: None where a null value is a bad record.
        has_identity: whether a row can be found again by its place of origin.
    """

    kind: str
    table: str
    written_per_row: int
    decoder: FastDecoder[Any]
    years: tuple[Callable[[Any], Any], ...]
    erasure: Erasure | None = None
    has_identity: bool = False
    written_per_insert: int = 0
    block: Callable[[Sequence[bytes]], bytes | None] | None = None

    def in_range(self, records: Sequence[Any]) -> bool:
        """Whether all times are ones that ClickHouse can keep."""
        return all(_STORABLE.issuperset(map(year, records)) for year in self.years)


def routes(topics: Topics) -> Mapping[str, Route]:
    """The routes by topic."""
    alert = Route(
        "alerts", "alerts_input", 2, FastDecoder(Alert), (attrgetter("scanned_at.year"), attrgetter("detected_at.year"))
    )
    return {
        topics.visits: Route(
            "visits",
            "visits_input",
            3,
            FastDecoder(Visit),
            (attrgetter("scanned_at.year"), attrgetter("processed_at.year")),
            has_identity=True,
            written_per_insert=1,  # whose scans were late, if any
            block=visit_block,
        ),
        **dict.fromkeys(topics.all_alerts, alert),
        topics.venues: Route(
            "venues", "venues", 1, FastDecoder(Venue), (), Erasure("venues", "venue_id", binary=False)
        ),
        topics.statuses: Route(
            "health",
            "health_input",
            2,
            FastDecoder(HealthStatus),
            (attrgetter("issued_at.year"),),
            Erasure("health_changes", "person_token", binary=True),
        ),
        topics.exposure_windows: Route(
            "windows",
            "exposure_windows",
            1,
            FastDecoder(ExposureWindow),
            (attrgetter("starts_at.year"), attrgetter("ends_at.year")),
            Erasure("exposure_windows", "window_id", binary=False),
        ),
    }
