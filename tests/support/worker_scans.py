"""A tiny maker of scans, statuses and venues for the worker's tests: deterministic tokens, times given by the test."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.health import Colour, HealthStatus
from schemas.ids import uuid7
from schemas.scan import Direction, Scan
from schemas.venue import Point, Venue, VenueState


def token(number: int) -> str:
    """A person token; the same number, the same person."""
    return hashlib.sha256(f"person {number}".encode()).hexdigest()[:32]


def scan(
    person: int, at: datetime, *, serial: int = 0, venue: str = "V-1", direction: Direction = "enter", **changes: Any
) -> Scan:
    """One scan; `serial` sets scans of one instant apart."""
    values: dict[str, Any] = {
        "scan_id": uuid7(int(at.timestamp() * 1000), person << 32 | serial),
        "person_token": token(person),
        "venue_id": venue,
        "point_id": "P-1",
        "scanned_at": at,
        "direction": direction,
        "channel": "phone",
        "gateway": "gateway-1",
    }
    return Scan.model_validate({**values, **changes})


def status(person: int, colour: Colour, since: datetime, *, version: int = 1, hours: float = 72) -> HealthStatus:
    """A status in force from `since` for some hours."""
    return HealthStatus(
        person_token=token(person),
        colour=colour,
        labels=("label",) if colour != "green" else (),
        reason="test",
        valid_from=since,
        valid_until=since + timedelta(hours=hours),
        version=version,
        issuer="authority",
        issued_at=since,
    )


def venue(venue_id: str = "V-1", *, category: str = "restaurant", state: VenueState = "approved") -> Venue:
    """A registered venue in Taiyuan."""
    return Venue(
        venue_id=venue_id,
        organisation_id="O-1",
        name=f"Venue {venue_id}",
        category=category,
        area_code="140105",
        address="1 Test Street",
        lat=37.87,
        lon=112.55,
        points=(Point(point_id="P-1", name="Door"),),
        status=state,
        version=1,
    )


def moment(offset_s: float = 0) -> datetime:
    """A fixed moment for tests that pass their own clock."""
    return datetime(2026, 3, 2, 8, 30, tzinfo=UTC) + timedelta(seconds=offset_s)
