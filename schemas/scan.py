"""Scan: one person at one point of one venue at one instant. Topic `venue.scans.v1`, key `person_token`."""

from __future__ import annotations

from typing import Literal

from schemas.base import Identifier, PersonToken, Record, ScanId, Timestamp

Direction = Literal["enter", "leave"]
Channel = Literal["phone", "staff", "gate", "manual", "companion"]


class Trip(Record):
    """Which run of a vehicle was boarded, and where in it; an unknown carriage or seat is null."""

    vehicle: Identifier
    run: Identifier
    carriage: Identifier | None = None
    seat: Identifier | None = None


class Scan(Record):
    """One scan of a venue code, as a gateway acknowledged it."""

    scan_id: ScanId
    person_token: PersonToken
    venue_id: Identifier
    point_id: Identifier
    scanned_at: Timestamp
    direction: Direction
    channel: Channel
    trip: Trip | None = None
    gateway: Identifier
