"""The venues of a city: as arrays for the simulation, as records for the registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from producers.simulator.config import STREAM_VENUES, CityConfig
from producers.simulator.encoding import Text, texts
from producers.simulator.profiles import CategoryProfile, category_profiles, districts
from schemas.categories import builtin_categories
from schemas.venue import Point, Venue

PLANTED_CATEGORIES: Final = ("restaurant", "metro", "chess_card_room", "chess_card_room", "metro", "pharmacy")
"""Kinds of the venues in one planted set (`producers.simulator.cases.Place` names them)."""

NO_TRIP, RUN_ONLY, WITH_CARRIAGE, WITH_SEAT = range(4)
"""How much of a trip a scan in a vehicle tells."""

_TRIPS: Final = {
    "transfer_vehicle": (RUN_ONLY, 60),
    "railway": (WITH_SEAT, 180),
    "coach": (WITH_SEAT, 120),
    "aviation": (WITH_SEAT, 150),
    "city_bus": (RUN_ONLY, 50),
    "metro": (WITH_CARRIAGE, 60),
    "taxi": (RUN_ONLY, 20),
}
"""What a trip tells, and minutes from one departure to the next, by kind of vehicle."""

_STREETS: Final = (
    "迎泽大街",
    "建设路",
    "并州路",
    "平阳路",
    "长风街",
    "漪汾街",
    "晋祠路",
    "龙城大街",
    "北大街",
    "府西街",
)
_KM_PER_DEGREE: Final = 111.2
_ACCESS: Final = {"open": 0, "gate": 1, "staff": 2}


@dataclass(frozen=True, slots=True)
class VenueTable:
    """All venues, one row each; background venues first, planted ones after them.

    Background venues are sorted by (district, category), so that one kind in one district is a range of rows and of
    the cumulative popularity.

    Attributes:
        category: index into `category_profiles()`.
        district: index into `districts()`.
        points: number of entrances.
        access: 0 open, 1 gate, 2 staff.
        trip: `NO_TRIP` ... `WITH_SEAT`.
        run_minutes: from one departure to the next; 0 where there is no trip.
        popularity: cumulative weight of the background venues, with a leading 0: shape (background + 1,).
        low, high: range of the cumulative weight by (district, category), with a stand-in where the kind is missing.
        ids, vehicles, gateways: texts, one row a venue.
    """

    background: int
    category: NDArray[np.int16]
    district: NDArray[np.int16]
    points: NDArray[np.int16]
    access: NDArray[np.int8]
    trip: NDArray[np.int8]
    run_minutes: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    approved: NDArray[np.bool_]
    popularity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ids: Text
    vehicles: Text
    gateways: Text

    def __len__(self) -> int:
        return len(self.category)

    def pick(self, district: NDArray[Any], category: NDArray[Any], chance: NDArray[np.float64]) -> NDArray[np.int64]:
        """A venue of a kind in a district (or the nearest stand-in), by popularity; `chance` is in [0, 1)."""
        low, high = self.low[district, category], self.high[district, category]
        found = np.searchsorted(self.popularity, low + chance * (high - low), side="right") - 1
        rows: NDArray[np.int64] = np.minimum(found, self.background - 1)
        return rows

    def venue_id(self, row: int) -> str:
        return str(self.ids[row].tobytes(), "ascii")

    def vehicle_id(self, row: int) -> str:
        return str(self.vehicles[row].tobytes(), "ascii")

    def records(self) -> Iterator[Venue]:
        """The venues as the registry publishes them."""
        profiles, kinds = category_profiles(), builtin_categories()
        for row in range(len(self)):
            kind = kinds[profiles[self.category[row]].category]
            place = districts()[self.district[row]]
            street = _STREETS[row % len(_STREETS)]
            yield Venue(
                venue_id=self.venue_id(row),
                organisation_id=f"ORG{row // 2:06d}",
                name=f"{place.name_zh}{kind.name_zh.partition('（')[0]}{row:06d}",
                category=kind.category,
                area_code=place.area_code,
                address=f"太原市{place.name_zh}{street}{row % 400 + 1}号",
                lat=round(float(self.lat[row]), 6),
                lon=round(float(self.lon[row]), 6),
                points=tuple(
                    Point(point_id=f"p{number:02d}", name=f"{number}号入口")
                    for number in range(1, self.points[row] + 1)
                ),
                status="approved" if self.approved[row] else "suspended",
                version=1,
            )


def build_venues(config: CityConfig) -> VenueTable:
    """The venues of a city."""
    rng = config.random(STREAM_VENUES)
    profiles, places = category_profiles(), districts()
    names = [profile.category for profile in profiles]
    category = _background_categories(config.venues, profiles)
    district = _districts_of(category, rng)
    order = np.lexsort((category, district))
    category, district = category[order], district[order]
    weight = _zipf_weights(district * len(profiles) + category, rng)
    low, high = _ranges(category, district, weight)
    planted = [names.index(name) for name in PLANTED_CATEGORIES] * config.planted_sets
    urban = [number for number, place in enumerate(places) if place.urban]
    planted_district = [urban[number // len(PLANTED_CATEGORIES) % len(urban)] for number in range(len(planted))]
    category = np.concatenate([category, np.array(planted, np.int64)])
    district = np.concatenate([district, np.array(planted_district, np.int64)])
    count = len(category)
    spread = np.array([place.spread_km for place in places])[district] / _KM_PER_DEGREE
    # The sum of two uniform numbers: denser in the middle of the district, and never outside its box.
    offset = (rng.random((2, count)) + rng.random((2, count)) - 1.0) * spread
    trips = [_TRIPS.get(name, (NO_TRIP, 0)) for name in names]
    approved = rng.random(count) >= 0.005
    approved[config.venues :] = True
    return VenueTable(
        background=config.venues,
        category=category.astype(np.int16),
        district=district.astype(np.int16),
        points=rng.choice(np.array([1, 1, 1, 2, 2, 3, 4, 6], np.int16), count),
        access=np.array([_ACCESS[profile.access] for profile in profiles], np.int8)[category],
        trip=np.array([trip for trip, _ in trips], np.int8)[category],
        run_minutes=np.array([minutes for _, minutes in trips], np.int64)[category],
        lat=np.array([place.lat for place in places])[district] + offset[0],
        lon=np.array([place.lon for place in places])[district] + offset[1] / 0.79,  # cosine of 37.9 degrees
        approved=approved,
        popularity=np.concatenate([[0.0], np.cumsum(weight)]),
        low=low,
        high=high,
        ids=texts([f"TY{places[number].area_code}{row:06d}" for row, number in enumerate(district)]),
        vehicles=texts([f"VH{row:06d}" for row in range(count)]),
        gateways=texts([f"gw-{place.area_code}" for place in places])[district],
    )


def _background_categories(count: int, profiles: Sequence[CategoryProfile]) -> NDArray[np.int64]:
    """One of every kind first, the others by weight."""
    weights = np.cumsum([profile.venue_weight for profile in profiles])
    spread = (np.arange(count - len(profiles)) + 0.5) / max(1, count - len(profiles)) * weights[-1]
    return np.concatenate([np.arange(len(profiles)), np.searchsorted(weights, spread, side="right")])


def _districts_of(category: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    places = districts()
    found = np.empty(len(category), np.int64)
    chance = rng.random(len(category))
    for number, profile in enumerate(category_profiles()):
        allowed = np.array(
            [
                p.share * (profile.where in ("all", p.area_code) or (profile.where == "urban" and p.urban))
                for p in places
            ]
        )
        cumulative = np.cumsum(allowed)
        mine = category == number
        found[mine] = np.searchsorted(cumulative, chance[mine] * cumulative[-1], side="right")
    return found


def _zipf_weights(group: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Popularity within a group: the r-th of its venues (in random order) draws 1/(r + 2) as many people."""
    order = np.lexsort((rng.random(len(group)), group))
    starts = np.searchsorted(group[order], group[order], side="left")
    weight = np.empty(len(group))
    weight[order] = 1.0 / (np.arange(len(group)) - starts + 3.0)
    return weight


def _ranges(
    category: NDArray[np.int64], district: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each (district, category) lies in the cumulative weight; a missing one is looked for nearest by."""
    kinds, places = len(category_profiles()), districts()
    cumulative = np.concatenate([[0.0], np.cumsum(weight)])
    group = district * kinds + category
    keys = np.arange(len(places) * kinds)
    low = cumulative[np.searchsorted(group, keys, side="left")].reshape(len(places), kinds)
    high = cumulative[np.searchsorted(group, keys, side="right")].reshape(len(places), kinds)
    there = high > low
    for number, place in enumerate(places):
        nearest = sorted(
            range(len(places)), key=lambda n: (places[n].lat - place.lat) ** 2 + (places[n].lon - place.lon) ** 2
        )
        for kind in np.nonzero(~there[number])[0]:
            stand_in = next(n for n in nearest if there[n, kind])
            low[number, kind], high[number, kind] = low[stand_in, kind], high[stand_in, kind]
    return low, high
