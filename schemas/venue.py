"""Venue: a place with a code at its door. Topic `venue.registry.v1`, compacted, key `venue_id`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import AreaCode, Identifier, Latitude, Longitude, LongText, Record, ShortText, Version

VenueState = Literal["pending", "approved", "suspended", "closed"]


class Point(Record):
    """One code of a venue: an entrance, a gate, a carriage."""

    point_id: Identifier
    name: ShortText


class Venue(Record):
    """A registered venue; coordinates are WGS 84 degrees, null where unknown."""

    venue_id: Identifier
    organisation_id: Identifier
    name: ShortText
    category: Identifier
    area_code: AreaCode
    address: LongText
    lat: Latitude | None
    lon: Longitude | None
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=500)]
    status: VenueState
    version: Version
