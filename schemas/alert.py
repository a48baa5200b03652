"""Alert: what a responder on duty must act on. Topics `alerts.{red,yellow,review}.v1`, key `area_code`.

No name, no phone number, no ID number, ever.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.base import (
    AreaCode,
    Identifier,
    Latitude,
    Longitude,
    LongText,
    PersonToken,
    Record,
    ScanId,
    ShortText,
    Timestamp,
)

AlertLevel = Literal["red", "yellow", "review"]
AlertKind = Literal["red_scan", "yellow_scan", "unknown_scan"]
AlertId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}\Z")]


class Action(Record):
    """What the responder is to do: a code for machines, the sentence in Chinese and in English."""

    code: Identifier
    zh: LongText
    en: LongText


class Alert(Record):
    """One alert; `alert_id` is deterministic, so that the same alert raised twice is the same alert."""

    alert_id: AlertId
    level: AlertLevel
    kind: AlertKind
    person_token: PersonToken
    venue_id: Identifier
    point_id: Identifier
    venue_name: ShortText
    category: Identifier | None
    area_code: AreaCode
    lat: Latitude | None
    lon: Longitude | None
    scan_id: ScanId
    scanned_at: Timestamp
    detected_at: Timestamp
    reason: ShortText
    action: Action
    rule_version: Annotated[int, Field(ge=1, le=2**31 - 1)]
