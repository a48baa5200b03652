"""A city for measurements: whole days of visits as columns, with a real city's skew, and nobody real in it.

Everyone has a home neighbourhood, a way to work (one in five the metro, two a bus line, two neither), a workplace and
two or three shops; how much each draws follows Zipf's law. On a working day most people go to work that way, some eat
out at noon, go back the same way and shop near home. The busiest station of a city of three million sees about 100,000
scans a day, a barber twenty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

DAYS: Final = 14
_VISITS_A_DAY: Final = 2.66
DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_PEOPLE_A_NEIGHBOURHOOD: Final = 4_000
_PEOPLE_A_SHOP: Final = 60
_PEOPLE_A_WORKPLACE: Final = 45
_PEOPLE_A_STATION: Final = 25_000
_PEOPLE_A_VEHICLE: Final = 3_000
_CELL_M: Final = 800
_CENTRE: Final = (34.27, 108.94)
_SHOPS: Final = (
    "mall_supermarket",
    "farmers_market",
    "restaurant",
    "pharmacy",
    "cafe",
    "barber",
    "bank",
    "fitness_venue",
    "library",
    "postal_courier",
)
_WORKPLACES: Final = ("office", "enterprise", "office_tower", "government_institution", "training_institution")

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Venues:
    """All venues, by number.

    Attributes:
        category: code of each.
        lat: degrees, WGS 84.
        lon: degrees, WGS 84.
        is_vehicle: whether a visit to it is a trip.
    """

    category: npt.NDArray[np.str_]
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    is_vehicle: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.category)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits as columns, ascending by time; all of the same length.

    Attributes:
        person: number of the person.
        venue: number of the venue.
        at_ms: scan, ms since 1970.
        leave: whether it is a leave scan.
        run: number of the run within the vehicle and day; 0 where there is no trip.
        carriage: of the trip, from 1; 0 where there is none.
        number: of the visit within the city, ascending: its offset.
    """

    person: Numbers
    venue: Numbers
    at_ms: Ints
    leave: npt.NDArray[np.bool_]
    run: npt.NDArray[np.uint16]
    carriage: npt.NDArray[np.uint8]
    number: Ints

    def __len__(self) -> int:
        return len(self.person)

    def part(self, begin: int, end: int) -> Visits:
        """Some of them, by position."""
        return Visits(*(getattr(self, name)[begin:end] for name in self.__slots__))


def _zipf(rng: np.random.Generator, values: int, size: int, exponent: float = 1.0) -> Ints:
    """Numbers below `values`, the n-th as often as n to the minus `exponent` says."""
    weights = np.cumsum(np.arange(1, values + 1, dtype=np.float64) ** -exponent)
    return np.searchsorted(weights / weights[-1], rng.random(size)).astype(np.int64)


class City:
    """Same arguments, same city, on every machine with the same numpy.

    Args:
        visits: about how many in all.
        seed: of everything.
        last_day_ms: midnight UTC that begins the last of the `DAYS` days, ms since 1970.
    """

    def __init__(self, visits: int, seed: int, last_day_ms: int) -> None:
        self.people = max(200, round(visits / (DAYS * _VISITS_A_DAY)))
        self.seed = seed
        self.first_day_ms = last_day_ms - (DAYS - 1) * DAY_MS
        rng = np.random.default_rng([seed, 0])
        self.tokens: npt.NDArray[np.uint8] = np.frombuffer(rng.bytes(16 * self.people), np.uint8).reshape(-1, 16)
        self._lay_out(rng)

    def _lay_out(self, rng: np.random.Generator) -> None:
        people = self.people
        neighbourhoods = max(2, people // _PEOPLE_A_NEIGHBOURHOOD)
        counts = [
            max(2, people // per) for per in (_PEOPLE_A_STATION, _PEOPLE_A_VEHICLE, _PEOPLE_A_WORKPLACE, _PEOPLE_A_SHOP)
        ]
        stations, vehicles, workplaces, shops = counts
        self._first = np.cumsum([0, *counts])
        side = int(np.ceil(np.sqrt(neighbourhoods)))
        home = rng.integers(0, neighbourhoods, people)
        venue_hood = np.concatenate([rng.integers(0, neighbourhoods, count) for count in counts])
        east, north = (venue_hood % side) * 2 * _CELL_M, (venue_hood // side) * 2 * _CELL_M
        spread = rng.random((2, len(venue_hood))) * 2 * _CELL_M
        lat = _CENTRE[0] + (north + spread[0]) / 111_320
        lon = _CENTRE[1] + (east + spread[1]) / (111_320 * np.cos(np.radians(_CENTRE[0])))
        category = np.concatenate(
            [
                np.full(stations, "metro"),
                np.full(vehicles, "city_bus"),
                np.array(_WORKPLACES)[rng.integers(0, len(_WORKPLACES), workplaces)],
                np.array(_SHOPS)[rng.integers(0, len(_SHOPS), shops)],
            ]
        )
        is_vehicle = category == "city_bus"
        self.venues = Venues(category, np.round(lat, 6), np.round(lon, 6), is_vehicle)
        by = rng.random(people)
        self._by_bus, self._by_metro = by < 0.4, by >= 0.8
        self._home_station = _zipf(rng, stations, people)
        self._work_station = _zipf(rng, stations, people, 0.8)
        self._bus = self._first[1] + (home * 31 + rng.integers(0, 4, people)) % vehicles
        self._work = self._first[2] + _zipf(rng, workplaces, people, 0.5)
        # The shops of a neighbourhood lie next to one another by number, with a Zipf draw inside and some far trips.
        near = (home * shops) // neighbourhoods + _zipf(rng, max(2, 2 * shops // neighbourhoods), people)
        self._shops = np.stack([self._first[3] + near % shops, self._first[3] + _zipf(rng, shops, people, 0.7)])

    @cached_property
    def hex_tokens(self) -> npt.NDArray[np.str_]:
        """The tokens as 32 hex digits."""
        text = self.tokens.tobytes().hex().encode()
        return np.frombuffer(text, "S32").astype("U32")

    def days(self) -> Iterator[Visits]:
        """The city's days in order; numbers go on from one to the next."""
        number = 0
        for day in range(DAYS):
            visits = self.day(day, number)
            number += len(visits)
            yield visits

    def day(self, day: int, first_number: int) -> Visits:
        """One day, by its number from 0; the city goes on after the last of `days` as before.

        Args:
            day: which.
            first_number: of its visits.
        """
        rng = np.random.default_rng([self.seed, 1, day])
        start = self.first_day_ms + day * DAY_MS
        everyone = np.arange(self.people)
        weekend = (start // DAY_MS + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        works = rng.random(self.people) < (0.2 if weekend else 0.75)
        shops = rng.random(self.people) < (0.9 if weekend else 0.55)
        eats = rng.random(self.people) < (0.5 if weekend else 0.33)
        parts: list[tuple[Any, ...]] = []

        def visit(who: Any, venue: Any, minute: Any, leaves_after: Any = None) -> None:
            at = (minute * _MINUTE_MS).astype(np.int64) + rng.integers(0, _MINUTE_MS, len(who))
            parts.append((who, venue, at, np.zeros(len(who), bool)))
            if leaves_after is not None:
                parts.append((who, venue, at + (leaves_after * _MINUTE_MS).astype(np.int64), np.ones(len(who), bool)))

        # Minutes of the UTC day; the city's clock is eight hours ahead, so its day begins at -480.
        workers = everyone[works]
        leaves = rng.normal(-15, 40, len(workers))  # 07:45
        rides = (self._by_bus | self._by_metro)[workers]
        riders = workers[rides]
        visit(riders, np.where(self._by_bus, self._bus, self._home_station)[riders], leaves[rides])
        arrives = leaves + 15 + rng.gamma(4, 6, len(workers))
        works_for = rng.normal(530, 50, len(workers))
        punches = rng.random(len(workers)) < 0.12
        visit(workers[~punches], self._work[workers[~punches]], arrives[~punches])
        visit(workers[punches], self._work[workers[punches]], arrives[punches], works_for[punches])
        back = np.where(self._by_bus, self._bus, self._work_station)[riders]
        visit(riders, back, (arrives + works_for + rng.gamma(2, 4, len(workers)))[rides])
        diners = everyone[eats]
        visit(diners, self._shops[1][diners], rng.normal(260, 35, len(diners)))  # 12:20
        for which in range(2):
            some = everyone[shops] if which == 0 else everyone[shops & (rng.random(self.people) < 0.4)]
            far = rng.random(len(some)) < 0.25
            venue = np.where(far, self._shops[1][some], self._shops[0][some])
            visit(some, venue, rng.normal(655 + 40 * which, 60, len(some)))  # 18:55

        person, venue, minute_ms, leave = (np.concatenate(column) for column in zip(*parts, strict=True))
        at = start + np.clip(minute_ms, 0, DAY_MS - 1)
        order = np.argsort(at, kind="stable")
        person, venue, at, leave = (
            person[order].astype(np.uint32),
            venue[order].astype(np.uint32),
            at[order],
            leave[order],
        )
        trip = self.venues.is_vehicle[venue]
        # A bus begins a run every 40 minutes; two carriages of an articulated bus.
        run = np.where(trip, (at - start) // (40 * _MINUTE_MS) + 1, 0).astype(np.uint16)
        carriage = np.where(trip, person % 2 + 1, 0).astype(np.uint8)
        number = np.arange(first_number, first_number + len(at), dtype=np.int64)
        return Visits(person, venue, at, leave, run, carriage, number)
