"""Who goes where: the residents' day, five minutes at a time.

Everybody starts at home. In each step some of the people who are free set out: to work, home, or on an errand, by the
hour and by their occupation; some ride a vehicle first. Whoever is out is not free until the visit ends. Memory is
bounded by the residents and by the scans that are still to come of people who are out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from producers.simulator.config import SLICE_MS, STREAM_MOVES, CityConfig
from producers.simulator.events import EVENT, Events, in_order, no_events
from producers.simulator.people import GATE, PHONE, STAFF, People
from producers.simulator.profiles import CURVES, OUTINGS_PER_HOUR, TO_HOME, TO_WORK, category_profiles, districts
from producers.simulator.scans import CARRIAGES, SEATS
from producers.simulator.venues import NO_TRIP, VenueTable
from schemas.categories import builtin_categories

_MINUTE_MS: Final = 60_000
_HOME, _WORK, _OUT = range(3)
_RIDES: Final[Mapping[str, float]] = {"city_bus": 0.58, "metro": 0.22, "taxi": 0.18, "coach": 0.02}


@dataclass(frozen=True, slots=True)
class _Legs:
    """Visits to be scanned: people, venues, and when they come and go (milliseconds since 1970)."""

    person: NDArray[np.int64]
    venue: NDArray[np.int64]
    enter: NDArray[np.int64]
    leave: NDArray[np.int64]


class Movement:
    """The residents on their way; `step` is called for slice 0, 1, 2, ... of event time, in order.

    Args:
        start_ms: where slice 0 begins.
    """

    def __init__(self, config: CityConfig, venues: VenueTable, people: People, start_ms: int) -> None:
        self._config, self._venues, self._people, self._start = config, venues, people, start_ms
        self._zone = ZoneInfo(config.timezone)
        self._busy_until = np.full(len(people), start_ms, np.int64)
        self._place = np.full(len(people), _HOME, np.int8)
        self._pending: dict[int, list[Events]] = {}
        names = [profile.category for profile in category_profiles()]
        kinds = builtin_categories()
        self._stay = np.array([kinds[name].default_stay_minutes for name in names], np.float64)
        self._longest = np.array([kinds[name].max_stay_minutes for name in names], np.float64)
        self._rides = np.array([names.index(name) for name in _RIDES])
        self._urban = np.array([place.urban for place in districts()])

    def free(self, at_ms: int) -> NDArray[np.bool_]:
        """Who is at home or at work with nothing planned."""
        return self._busy_until <= at_ms

    def keep_in(self, rows: NDArray[np.int64], until_ms: int) -> None:
        """These people do nothing until then."""
        self._busy_until[rows] = until_ms

    def step(self, number: int) -> Events:
        """The scans to send within a slice, in order."""
        begin = self._start + number * SLICE_MS
        rng = self._config.random(STREAM_MOVES, number)
        local = datetime.fromtimestamp(begin / 1000, self._zone)
        rate = OUTINGS_PER_HOUR[local.hour * 2 + local.minute // 30] * SLICE_MS / 3_600_000
        drawn = int(rate * len(self._people) + rng.random())
        candidates = np.unique(rng.integers(0, len(self._people), drawn))
        person = candidates[self._busy_until[candidates] <= begin]
        if len(person):
            self._set_out(person, begin, local.hour, rng)
        ready = self._pending.pop(number, [])
        return in_order(np.concatenate(ready)) if ready else no_events()

    def _set_out(self, person: NDArray[np.int64], begin: int, hour: int, rng: np.random.Generator) -> None:
        people, count = self._people, len(person)
        start = begin + rng.integers(0, SLICE_MS, count)
        purpose = rng.random((2, count))
        place = self._place[person]
        to_work = (people.work[person] >= 0) & (place != _WORK) & (purpose[0] < TO_WORK[hour])
        to_home = ~to_work & (place != _HOME) & (purpose[1] < TO_HOME[hour])
        district = np.where(place == _HOME, people.home_district[person], people.work_district[person]).astype(np.int64)
        errand = self._venues.pick(district, self._errands(hour, rng.random(count)), rng.random(count))
        venue = np.where(to_work, people.work[person], np.where(to_home, people.home[person], errand)).astype(np.int64)

        rides = rng.random(count) < np.where(to_work | to_home, 0.60, 0.25)
        rides &= self._venues.trip[venue] == NO_TRIP
        kind = self._rides[np.searchsorted(np.cumsum(list(_RIDES.values()))[:-1], rng.random(count), side="right")]
        vehicle = self._venues.pick(district, kind, rng.random(count))
        ride_ms = self._stays(kind, rng)
        arrival = np.where(rides, start + ride_ms + rng.integers(_MINUTE_MS, 5 * _MINUTE_MS, count), start)
        stay_ms = self._stays(self._venues.category[venue], rng)
        at_home = rng.integers(30 * _MINUTE_MS, 180 * _MINUTE_MS, count)
        leave = arrival + np.where(to_home, at_home, stay_ms)

        self._busy_until[person] = leave + _MINUTE_MS
        self._place[person] = np.where(to_work, _WORK, np.where(to_home, _HOME, _OUT))
        legs = _Legs(
            np.concatenate([person[rides], person]),
            np.concatenate([vehicle[rides], venue]),
            np.concatenate([start[rides], arrival]),
            np.concatenate([(start + ride_ms)[rides], leave]),
        )
        self._plan(self._scans(legs, rng))

    def _errands(self, hour: int, chance: NDArray[np.float64]) -> NDArray[np.int64]:
        weights = np.cumsum([profile.errand_weight * CURVES[profile.curve][hour] for profile in category_profiles()])
        found: NDArray[np.int64] = np.searchsorted(weights, chance * weights[-1], side="right")
        return found

    def _stays(self, category: NDArray[np.int64] | NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int64]:
        """Around the usual stay, never beyond the longest; milliseconds, a minute at least."""
        usual = self._stay[category] * (0.3 + rng.random(len(category)) * 0.7 + rng.random(len(category)) * 0.7)
        return (np.maximum(np.minimum(usual, self._longest[category]), 1.0) * _MINUTE_MS).astype(np.int64)

    def _scans(self, legs: _Legs, rng: np.random.Generator) -> Events:
        """The scans people make of their visits; the same numbers are drawn whatever the discipline is."""
        count, config, venues = len(legs.person), self._config, self._venues
        chance = rng.random((4, count))
        place = rng.integers(0, 2**15, (3, count))
        late_by = rng.integers(SLICE_MS, int(config.late_max_hours * 3_600_000), (2, count))
        late = rng.random((2, count)) < config.late_share
        events = np.zeros(count, EVENT)
        events["token"] = self._people.tokens[legs.person]
        events["venue"] = legs.venue
        events["point"] = place[0] % venues.points[legs.venue] + 1
        events["carriage"] = place[1] % CARRIAGES + 1
        events["seat"] = place[2] % SEATS
        events["departure"] = self._departures(legs)
        channel = self._people.channel[legs.person]
        access = venues.access[legs.venue]
        by_door = (channel == PHONE) & (access > 0) & (chance[2] < np.where(access == 1, 0.75, 0.3))
        events["channel"] = np.where(by_door, np.where(access == 1, GATE, STAFF), channel)
        scanned = chance[0] < config.scan_discipline
        found = []
        for number, at, mask in ((0, legs.enter, scanned), (1, legs.leave, scanned & (chance[1] < config.leave_share))):
            some = events[mask]
            some["at"] = at[mask]
            some["due"] = some["at"] + np.where(late[number], late_by[number], 0)[mask]
            some["leave"] = number == 1
            found.append(some)
        return np.concatenate(found)

    def _departures(self, legs: _Legs) -> NDArray[np.int64]:
        """The run each leg is on: the vehicle's last departure before it was boarded; -1 where there is no trip."""
        length = self._venues.run_minutes[legs.venue] * _MINUTE_MS
        phase = legs.venue % 6 * 10 * _MINUTE_MS
        return np.where(length > 0, legs.enter - (legs.enter - phase) % np.maximum(length, 1), -1)

    def _plan(self, events: Events) -> None:
        """Put scans where `step` will find them."""
        if not len(events):
            return
        slices = (events["due"] - self._start) // SLICE_MS
        order = np.argsort(slices, kind="stable")
        numbers, begins = np.unique(slices[order], return_index=True)
        for number, some in zip(numbers.tolist(), np.split(events[order], begins[1:]), strict=True):
            self._pending.setdefault(number, []).append(some)
