"""Scans as JSON, without a loop over records."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from producers.simulator.encoding import (
    Text,
    by_unique,
    hex_text,
    join,
    side_by_side,
    texts,
    time_text,
    two_digits,
    uuid7_text,
)
from producers.simulator.events import Events
from producers.simulator.people import CHANNELS
from producers.simulator.venues import NO_TRIP, RUN_ONLY, WITH_SEAT, VenueTable

_DIRECTIONS: Final = texts(["enter", "leave"])
_SEATS: Final = texts([f"{row:02d}{letter}" for row in range(1, 21) for letter in "ABCDF"])
SEATS: Final = len(_SEATS)
CARRIAGES: Final = 8


def run_id(departure_ms: int, zone: ZoneInfo) -> str:
    """A run is named by its vehicle's departure, city time."""
    return datetime.fromtimestamp(departure_ms / 1000, zone).strftime("%Y%m%d-%H%M")


def encode_scans(
    events: Events, venues: VenueTable, zone: ZoneInfo, rng: np.random.Generator
) -> tuple[list[bytes], list[bytes]]:
    """Keys and values, one of each per event, in order; scan ids from the event's time and `rng`."""
    count, venue = len(events), events["venue"]
    if count == 0:
        return [], []
    random = np.frombuffer(rng.bytes(10 * count), np.uint8).reshape(count, 10)
    token = hex_text(events["token"])
    head = side_by_side(
        count,
        [
            b'{"scan_id":"',
            uuid7_text(events["at"], random),
            b'","person_token":"',
            token,
            b'","venue_id":"',
            venues.ids[venue],
            b'","point_id":"p',
            two_digits(events["point"]),
            b'","scanned_at":"',
            time_text(events["at"]),
            b'","direction":"',
            _DIRECTIONS[events["leave"].astype(np.int8)],
            b'","channel":"',
        ],
    )
    tail = side_by_side(count, [b',"gateway":"', venues.gateways[venue], b'"}'])
    # What is left differs in width by channel and by kind of trip: one kind at a time.
    shape = venues.trip[venue].astype(np.int64) * len(CHANNELS) + events["channel"]
    values = np.empty(count, object)
    for kind in np.unique(shape):
        rows = np.nonzero(shape == kind)[0]
        trip, channel = divmod(int(kind), len(CHANNELS))
        middle = [CHANNELS[channel].encode() + b'","trip":', *_trip(trip, events[rows], venues, zone)]
        values[rows] = join(len(rows), [head[rows], *middle, tail[rows]])
    return join(count, [token]), values.tolist()


def _trip(trip: int, events: Events, venues: VenueTable, zone: ZoneInfo) -> list[bytes | Text]:
    if trip == NO_TRIP:
        return [b"null"]
    run = by_unique(events["departure"], lambda departure: run_id(departure, zone))
    parts: list[bytes | Text] = [b'{"vehicle":"', venues.vehicles[events["venue"]], b'","run":"', run]
    if trip == RUN_ONLY:
        return [*parts, b'","carriage":null,"seat":null}']
    parts += [b'","carriage":"', two_digits(events["carriage"])]
    if trip == WITH_SEAT:
        return [*parts, b'","seat":"', _SEATS[events["seat"]], b'"}']
    return [*parts, b'","seat":null}']
