"""Cities for hypothesis: small, and full of what is easy to get wrong."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.support.copresence_oracle import OracleScan
from tests.support.visit_rows import insert_visits, instant, visit_document

HOUR, MINUTE = 3_600_000, 60_000
MIDNIGHT = 1_772_928_000_000
"""2026-03-08T00:00:00Z: the clocks of New York change at seven that morning."""
SPAN = (MIDNIGHT - 80 * HOUR, MIDNIGHT + 80 * HOUR)
PEOPLE, VENUES = 4, 3
POSITIONS = ((0.0, 112.5500), (0.0001, 112.5501), (0.03, 112.60))
"""Of the venues, from a latitude of the city's own; the first two are next door. A fourth venue is nowhere."""
_numbers = itertools.count()


@dataclass(frozen=True)
class City:
    """The scans of one example; people, venues and vehicles are its own."""

    number: int
    scans: tuple[OracleScan, ...]

    @property
    def people(self) -> list[str]:
        return [f"{self.number:016x}{index:016x}" for index in range(PEOPLE)]

    @property
    def positions(self) -> dict[str, tuple[float, float]]:
        base = self.number * 0.37 % 120 - 60
        return {f"V{self.number}-{index}": (base + lat, lon) for index, (lat, lon) in enumerate(POSITIONS)}


# Half-hours and the milliseconds around them, so that touching, equal and just-not-equal instants are common.
moments = st.builds(
    lambda half_hours, off: MIDNIGHT + half_hours * 30 * MINUTE + off,
    st.one_of(st.integers(-6, 10), st.integers(-60, 60)),
    st.sampled_from([0, 0, 0, -1, 1, 999, 10 * MINUTE]),
)
_trips = st.sampled_from([None, None, ("bus", "1"), ("bus", "2"), ("bu", "s1")])
_row = st.tuples(
    st.integers(0, PEOPLE - 1),
    st.integers(0, VENUES),
    _trips,
    moments,
    st.sampled_from(["enter", "enter", "enter", "leave"]),
    st.sampled_from(["mall_supermarket", "railway", "quarantine_site", "unheard_of", None]),
    st.sampled_from(["gate-1", "gate-1", "gate-2"]),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "03A", "06C", "7F", "x", "12345"]),
    st.booleans(),
)


def _taps(scans: list[OracleScan]) -> st.SearchStrategy[tuple[OracleScan, int]]:
    return st.tuples(st.sampled_from(scans), st.sampled_from([0, 300]))


@st.composite
def cities(draw: st.DrawFn) -> City:
    """A city of a few people, venues, vehicles and scans, some of them made or decided twice."""
    number = next(_numbers)
    rows = draw(st.lists(_row, min_size=2, max_size=14))
    offsets = draw(st.permutations(range(len(rows))))
    scans = []
    for offset, row in zip(offsets, rows, strict=True):
        person, venue, trip, at, direction, category, point, carriage, seat, late = row
        scans.append(
            OracleScan(
                person=f"{number:016x}{person:016x}",
                venue=f"V{number}-{venue}",
                trip=None if trip is None else (f"{trip[0]}-{number}", trip[1]),
                at=at,
                direction=direction,
                category=category,
                origin=(f"scans-{number}", person % 2, offset),
                processed_at=at,
                point=point,
                carriage=carriage if trip else "",
                seat=seat if trip else "",
                late=late,
            )
        )
    for number_of, (scan, after) in enumerate(draw(st.lists(_taps(scans), max_size=2))):
        # Scanned twice at the door: another scan, at the same time or within the same second.
        origin = (*scan.origin[:2], len(rows) + number_of)
        scans.append(replace(scan, at=scan.at + after, processed_at=scan.at + after, origin=origin))
    for scan in draw(st.lists(st.sampled_from(scans), max_size=3)):
        # The worker decided once more after a restart: the same identity, another version.
        category = draw(st.sampled_from([scan.category, "railway", None]))
        scans.append(replace(scan, category=category, processed_at=scan.at + 1 + len(scans)))
    return City(number, tuple(scans))


def document(scan: OracleScan) -> dict[str, Any]:
    """The visit that a scan is stored as."""
    trip = None
    if scan.trip is not None:
        vehicle, run = scan.trip
        trip = {"vehicle": vehicle, "run": run, "carriage": scan.carriage or None, "seat": scan.seat or None}
    return visit_document(
        scan.person,
        scan.at,
        scan.origin[2],
        venue_id=scan.venue,
        trip=trip,
        direction=scan.direction,
        category=scan.category,
        point_id=scan.point,
        flags=["late"] if scan.late else [],
        source_topic=scan.origin[0],
        source_partition=scan.origin[1],
        processed_at=instant(scan.processed_at).isoformat(),
    )


def clear(client: Any) -> None:
    """Take away what `store` stored."""
    stored = ("visits", "visits_by_place", "venues")
    settled = ("settled_stays", "settled_stays_by_place", "place_reach", "settlements", "late_scans")
    for table in (*stored, *settled):
        client.command(f"TRUNCATE TABLE {table}")


def store(client: Any, towns: Sequence[City]) -> None:
    """Several cities at once, in two inserts, so that versions of one visit lie in one part as well as in two."""
    halves = [(city.scans[: len(city.scans) // 2], city.scans[len(city.scans) // 2 :]) for city in towns]
    for half in zip(*halves, strict=True):
        insert_visits(client, (document(scan) for scans in half for scan in scans))
    positions = {venue: position for city in towns for venue, position in city.positions.items()}
    client.insert(
        "venues",
        [[venue, lat, lon, 1] for venue, (lat, lon) in positions.items()],
        column_names=["venue_id", "lat", "lon", "version"],
    )


def publish(
    client: Any, towns: Sequence[City], spans: Sequence[tuple[int, int, int]]
) -> dict[str, tuple[str, int, int]]:
    """Exposure windows, and none but these: for each city one at each (venue, begin, end); by their ids."""
    windows = {
        f"{city.number}-{number}": (f"V{city.number}-{venue}", begin, end)
        for city in towns
        for number, (venue, begin, end) in enumerate(spans)
    }
    client.command("TRUNCATE TABLE exposure_windows")
    client.insert(
        "exposure_windows",
        [[name, venue, instant(begin), instant(end)] for name, (venue, begin, end) in windows.items()],
        column_names=["window_id", "venue_id", "starts_at", "ends_at"],
    )
    return windows
