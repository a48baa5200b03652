"""The city's visits as the rows that the sink would store: every column, as Arrow tables of a few hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infra.bench.contacts.city import City, Visits

ROWS: Final = 500_000
PARTITIONS: Final = 12
_TOPIC: Final = "venue.scans.v1"
_GATEWAYS: Final = 8
_CHANNELS: Final = ("phone", "gate", "staff", "manual", "companion")
_COLOURS: Final = ("green", "yellow", "red", "unknown")
_DECISIONS: Final = ("admit", "refuse", "isolate", "check")


def venue_id(number: int) -> str:
    """The id of a venue."""
    return f"XA-610113-{number:06d}"


def run_id(number: int) -> str:
    """The id of a run within its vehicle and day."""
    return f"R-{number:03d}" if number else ""


def place_name(venue: int, run: str, vehicle: bool) -> str:
    """The key of a place, as the tables have it."""
    if not vehicle:
        return f"venue:{venue_id(venue)}"
    name = vehicle_id(venue)
    return f"trip:{len(name)}:{name}:{run}"


def vehicle_id(venue: int) -> str:
    """The id of the vehicle that a venue is."""
    return f"V-{venue:06d}"


def _words(words: Any, numbers: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(words)).cast(pa.string())


def _times(ms: Any) -> Any:
    return pa.array(ms, pa.timestamp("ms", "UTC"))


class RowMaker:
    """Makes rows of the table `visits_input` out of visits of one city.

    What the questions do not look at is filled as production would: a version 7 UUID with 74 random bits, the offset
    in a partition of its own for every twelfth person, the decision 20 to 500 ms after the scan.

    Args:
        city: whose visits they are.
        default_minutes: stay assumed while streaming, by category.
        first_offset: of the scans in each partition.
    """

    def __init__(self, city: City, default_minutes: Mapping[str, int], *, first_offset: int = 0) -> None:
        self._city = city
        venues = city.venues
        self._venue_ids = [venue_id(number) for number in range(len(venues))]
        self._categories = sorted(set(venues.category.tolist()))
        self._category = np.searchsorted(np.array(self._categories), venues.category)
        self._minutes = np.array([default_minutes[name] for name in self._categories], np.int64)
        self._areas = [f"610113{number:03d}" for number in range(1, 60)]
        self._rng = np.random.default_rng([city.seed, 2])
        issued = np.random.default_rng([city.seed, 3])
        self._issued_ms = city.first_day_ms - issued.integers(0, 5 * 86_400_000, city.people)
        draw = issued.random(city.people)
        self._colour = np.select([draw < 0.0005, draw < 0.003, draw < 0.006], [2, 1, 3], 0)
        self._offsets = np.full(PARTITIONS, first_offset, np.int64)

    def tables(self, visits: Visits) -> Iterator[Any]:
        """Arrow tables of at most `ROWS` rows, in order; call with the city's days in order."""
        for begin in range(0, len(visits), ROWS):
            yield self._table(visits.part(begin, begin + ROWS))

    def _place_of_origin(self, person: Any) -> tuple[Any, Any]:
        """Partition and offset of every scan."""
        partition = person % PARTITIONS
        offset = np.empty(len(person), np.int64)
        for number in range(PARTITIONS):
            mine = np.flatnonzero(partition == number)
            offset[mine] = self._offsets[number] + np.arange(len(mine))
            self._offsets[number] += len(mine)
        return partition, offset

    def _scan_ids(self, at_ms: Any) -> Any:
        """Version 7 UUIDs as text."""
        count = len(at_ms)
        raw = np.empty((count, 16), np.uint8)
        raw[:, :6] = at_ms.astype(">i8").view(np.uint8).reshape(count, 8)[:, 2:]
        raw[:, 6:] = np.frombuffer(self._rng.bytes(count * 10), np.uint8).reshape(count, 10)
        raw[:, 6] = raw[:, 6] & 0x0F | 0x70
        raw[:, 8] = raw[:, 8] & 0x3F | 0x80
        digits = np.frombuffer(raw.tobytes().hex().encode(), "S32").view("S1").reshape(count, 32)
        text = np.full((count, 36), b"-", "S1")
        for begin, end, at in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
            text[:, at : at + end - begin] = digits[:, begin:end]
        return fixed_strings(text.tobytes(), count, 36)

    def _table(self, visits: Visits) -> Any:
        city, rng, count = self._city, self._rng, len(visits)
        venue, person, at = visits.venue, visits.person, visits.at_ms
        category = self._category[venue]
        partition, offset = self._place_of_origin(person)
        unknown = self._colour[person] == 3
        age_s = (at - self._issued_ms[person]) // 1000
        trip = visits.run > 0
        vehicle_words = ["", *(vehicle_id(number) for number in np.flatnonzero(city.venues.is_vehicle).tolist())]
        first_vehicle = int(np.argmax(city.venues.is_vehicle))
        vehicle = np.where(trip, venue.astype(np.int64) - first_vehicle + 1, 0)
        empty = pa.array([[]] * count, pa.list_(pa.string()))
        stay_until = at + self._minutes[category] * 60_000
        columns = {
            "scan_id": self._scan_ids(at),
            "person_token": fixed_strings(city.tokens[person].tobytes().hex().encode(), count, 32),
            "venue_id": _words(self._venue_ids, venue),
            "point_id": _words([f"gate-{number}" for number in range(1, 5)], (person + venue) % 4),
            "scanned_at": _times(at),
            "direction": _words(["enter", "leave"], visits.leave),
            "channel": _words(_CHANNELS, np.minimum(rng.geometric(0.8, count) - 1, 4)),
            "trip": pa.StructArray.from_arrays(
                [
                    _words(vehicle_words, vehicle),
                    _words([run_id(number) for number in range(40)], visits.run),
                    _words(["", "1", "2"], visits.carriage),
                    _words([""], np.zeros(count)),
                ],
                names=["vehicle", "run", "carriage", "seat"],
            ),
            "gateway": _words([f"gateway-{number}" for number in range(_GATEWAYS)], rng.integers(0, _GATEWAYS, count)),
            "category": _words(self._categories, category),
            "area_code": _words(self._areas, venue % len(self._areas)),
            "lat": pa.array(city.venues.lat[venue]),
            "lon": pa.array(city.venues.lon[venue]),
            "colour": _words(_COLOURS, self._colour[person]),
            "labels": empty,
            "status_version": pa.array(person.astype(np.int64) % 5 + 1, mask=unknown),
            "status_age_s": pa.array(age_s, mask=unknown),
            "decision": _words(_DECISIONS, self._colour[person]),
            "stay_until": pa.array(stay_until, pa.timestamp("ms", "UTC"), mask=visits.leave),
            "flags": empty,
            "source_topic": _words([_TOPIC], np.zeros(count)),
            "source_partition": pa.array(partition.astype(np.uint32)),
            "source_offset": pa.array(offset.astype(np.uint64)),
            "processed_at": _times(at + rng.integers(20, 500, count)),
        }
        return pa.table(columns)


def fixed_strings(text: bytes, count: int, width: int) -> Any:
    """An Arrow string column out of strings of one width, without an object each."""
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))
