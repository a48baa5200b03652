"""What the columns of each kind of file can hold. Imports nothing: the command line makes its options of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal["scans", "venues", "windows", "statuses"]

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "scans": {
        "person": "person ids, turned into tokens",
        "person_token": "tokens, taken as they are",
        "venue": "venue ids",
        "at": "when it was scanned",
        "point": "entrances; without: main",
        "direction": "enter or leave; without: enter",
        "channel": "phone, staff, gate, manual or companion; without: manual",
        "vehicle": "vehicle of a trip",
        "run": "run of a trip",
        "carriage": "carriage",
        "seat": "seat",
    },
    "venues": {
        "venue_id": "venue ids",
        "name": "names",
        "category": "kinds of venue",
        "area_code": "GB/T 2260 codes; without: 000000",
        "address": "addresses",
        "lat": "latitudes, WGS 84",
        "lon": "longitudes, WGS 84",
        "organisation_id": "organisations; without: the venue's id",
        "status": "pending, approved, suspended or closed; without: approved",
        "points": "entrances, as id:name|id:name; without: one",
        "version": "versions; without: the time of the import",
    },
    "windows": {
        "window_id": "published ids; without: a hash of the row",
        "venue": "venue ids",
        "starts_at": "when it begins",
        "ends_at": "when it ends",
        "title": "titles; without: the name",
        "advice": "what those who were there should do",
        "source": "who published it",
        "name": "names of venues, instead of ids, with --venues",
        "address": "addresses of venues, with --venues",
    },
    "statuses": {
        "person": "person ids, turned into tokens",
        "person_token": "tokens, taken as they are",
        "colour": "green, yellow or red",
        "labels": "labels, separated by | or ;",
        "reason": "why; without: imported",
        "evidence": "what it rests on",
        "valid_from": "from when it holds",
        "valid_until": "until when it holds",
        "version": "versions; without: the time of issue",
        "issuer": "who gave it",
        "issued_at": "when it was given; without: from when it holds",
    },
}
"""Per kind: what a column can be told to hold, and what it is."""

MAPPED: Final[Mapping[str, tuple[str, ...]]] = {
    "scans": ("direction", "channel"),
    "venues": ("category", "status"),
    "windows": (),
    "statuses": ("colour",),
}
"""Per kind: the fields whose values can be given meanings."""
