"""Planted cases: people whose meetings are known, because they were made up here.

Planted people do nothing else, and planted venues see nobody else. Every stay is scanned in and out. One person of a
case is the index case; contacts share a place and a time with them; decoys come close to it and do not:
touching is not overlapping, and one vehicle on two runs is two places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from producers.simulator.config import STREAM_CASES, CityConfig
from producers.simulator.events import EVENT, Events, in_order
from producers.simulator.people import PHONE, tokens_of
from producers.simulator.scans import run_id
from producers.simulator.schedule import Span
from producers.simulator.venues import PLANTED_CATEGORIES, VenueTable
from schemas.base import format_timestamp
from schemas.errors import ConfigurationError

RESTAURANT, METRO, CHESS, OTHER_CHESS, OTHER_METRO, PHARMACY = range(len(PLANTED_CATEGORIES))
INDEX: Final = 0
_MINUTE_MS: Final = 60_000
_NO_RUN, _RUN, _RUN_BEFORE = -1, 0, 7
"""Which run of a planted vehicle: none, the index case's, the one seven minutes before it."""

_CONTACTS: Final[tuple[tuple[tuple[int, int, float, float, int], ...], ...]] = (
    ((RESTAURANT, _NO_RUN, 0.02, 0.20, 0), (CHESS, _NO_RUN, 0.70, 0.90, 0)),
    ((RESTAURANT, _NO_RUN, 0.25, 0.34, 0),),
    ((METRO, _RUN, 0.36, 0.58, 3),),
    ((METRO, _RUN, 0.40, 0.62, 7),),
    ((CHESS, _NO_RUN, 0.60, 0.99, 0),),
    ((RESTAURANT, _NO_RUN, 0.06, 0.12, 0), (RESTAURANT, _NO_RUN, 0.18, 0.28, 0)),
    ((RESTAURANT, _NO_RUN, 0.08, 0.30, 0), (METRO, _RUN, 0.37, 0.57, 3), (CHESS, _NO_RUN, 0.64, 0.95, 0)),
)
"""(venue, run, from, until, carriage) of each contact's stays, as shares of the case's span."""

_INDEX_STAYS: Final = (
    (RESTAURANT, _NO_RUN, 0.05, 0.30, 0),
    (METRO, _RUN, 0.36, 0.58, 3),
    (CHESS, _NO_RUN, 0.64, 0.95, 0),
)

_DECOYS: Final = (
    ("left at the instant the index case came", ((RESTAURANT, _NO_RUN, 0.0, 0.05, 0),)),
    ("came at the instant the index case left", ((RESTAURANT, _NO_RUN, 0.30, 0.40, 0),)),
    ("same venue, earlier", ((CHESS, _NO_RUN, 0.10, 0.40, 0),)),
    ("same vehicle, another run that overlaps in time", ((METRO, _RUN_BEFORE, 0.30, 0.40, 3),)),
    ("entered and left in the same second", ((CHESS, _NO_RUN, 0.80, 0.80, 0),)),
    ("next door, same kind of venue, same time", ((OTHER_CHESS, _NO_RUN, 0.64, 0.95, 0),)),
    ("another vehicle with the same departure", ((OTHER_METRO, _RUN, 0.36, 0.58, 3),)),
    ("left before, and came back after", ((RESTAURANT, _NO_RUN, 0.0, 0.04, 0), (RESTAURANT, _NO_RUN, 0.32, 0.50, 0))),
)


@dataclass(frozen=True, slots=True)
class Stay:
    """A planted person (row of the case's tokens) at a venue (row of the venue table); times in ms since 1970."""

    person: int
    venue: int
    enter_ms: int
    leave_ms: int
    departure_ms: int = -1
    carriage: int = 0


@dataclass(frozen=True, slots=True)
class Meeting:
    """The index case and one contact at one place at one time; `overlap_s` is never 0."""

    index: str
    contact: str
    venue_id: str
    trip: dict[str, str] | None
    start_ms: int
    end_ms: int

    def as_json(self) -> dict[str, Any]:
        """As in `truth.ndjson`; times are RFC 3339, UTC."""
        return {
            "index": self.index,
            "contact": self.contact,
            "venue_id": self.venue_id,
            "trip": self.trip,
            "overlap_start": rfc3339(self.start_ms),
            "overlap_end": rfc3339(self.end_ms),
            "overlap_s": (self.end_ms - self.start_ms) // 1000,
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One planted case.

    Attributes:
        tokens: shape (people, 16); row 0 is the index case.
        stays: everything the case's people do before the index case turns red.
        decoys: why each decoy is none of the contacts, by row.
        after: the index case's scan after turning red.
    """

    number: int
    span: Span
    tokens: NDArray[np.uint8]
    stays: tuple[Stay, ...]
    decoys: dict[int, str]
    after: Stay

    def token(self, row: int) -> str:
        return bytes(self.tokens[row]).hex()

    @property
    def index(self) -> str:
        return self.token(INDEX)

    def meetings(self, venues: VenueTable, zone: ZoneInfo) -> tuple[Meeting, ...]:
        """The truth: every overlap of a stay of the index case with a stay of somebody else at the same place."""
        found = []
        for mine in self.stays:
            for theirs in self.stays:
                if mine.person != INDEX or theirs.person == INDEX:
                    continue
                start, end = max(mine.enter_ms, theirs.enter_ms), min(mine.leave_ms, theirs.leave_ms)
                if (mine.venue, mine.departure_ms) != (theirs.venue, theirs.departure_ms) or start >= end:
                    continue
                trip = None
                if mine.departure_ms >= 0:
                    trip = {"vehicle": venues.vehicle_id(mine.venue), "run": run_id(mine.departure_ms, zone)}
                found.append(
                    Meeting(self.index, self.token(theirs.person), venues.venue_id(mine.venue), trip, start, end)
                )
        return tuple(sorted(found, key=lambda meeting: (meeting.start_ms, meeting.contact)))

    def decoys_as_json(self) -> list[dict[str, str]]:
        """One line for each decoy of the case."""
        return [{"index": self.index, "decoy": self.token(row), "why": why} for row, why in self.decoys.items()]

    def events(self) -> Events:
        """The scans of all stays, in order."""
        return in_order(np.concatenate([self._scans(self.stays, leave) for leave in (False, True)]))

    def scan_after(self) -> Events:
        """The index case's scan after turning red."""
        return self._scans((self.after,), leave=False)

    def _scans(self, stays: Sequence[Stay], leave: bool) -> Events:
        events = np.zeros(len(stays), EVENT)
        events["at"] = [stay.leave_ms if leave else stay.enter_ms for stay in stays]
        events["due"] = events["at"]
        events["token"] = self.tokens[[stay.person for stay in stays]]
        events["venue"] = [stay.venue for stay in stays]
        events["point"] = 1
        events["leave"] = leave
        events["channel"] = PHONE
        events["departure"] = [stay.departure_ms for stay in stays]
        events["carriage"] = [stay.carriage for stay in stays]
        return events


def plan_case(config: CityConfig, venues: VenueTable, number: int, span: Span) -> Case:
    """Make up the case of a number within a span of event time.

    Raises:
        ConfigurationError: the city has no planted venues.
    """
    if config.planted_sets == 0:
        raise ConfigurationError("planted cases need planted venues: planted-sets is 0")
    rng = config.random(STREAM_CASES, number)
    first = venues.background + number % config.planted_sets * len(PLANTED_CATEGORIES)
    seconds = (span.end_ms - span.begin_ms) // 1000

    def at(share: float) -> int:
        return span.begin_ms + int(share * seconds) * 1000

    departure = at(0.36) // _MINUTE_MS * _MINUTE_MS

    def stays(person: int, plans: Sequence[tuple[int, int, float, float, int]]) -> list[Stay]:
        return [
            Stay(person, first + venue, at(begin), at(end), -1 if run < 0 else departure - run * _MINUTE_MS, carriage)
            for venue, run, begin, end, carriage in plans
        ]

    found = stays(INDEX, _INDEX_STAYS)
    plans = [*_CONTACTS, *(_one_more(rng.random) for _ in range(rng.integers(0, 5)))]
    for person, plan in enumerate(plans, 1):
        found += stays(person, plan)
    # One contact's meeting lasts a single second.
    last = len(plans) + 1
    chess = found[2]
    found.append(Stay(last, chess.venue, chess.leave_ms - 1000, at(1.0)))
    decoys = {}
    for person, (why, plan) in enumerate(_DECOYS, last + 1):
        found += stays(person, plan)
        decoys[person] = why
    return Case(
        number=number,
        span=span,
        tokens=tokens_of(last + 1 + len(_DECOYS), rng),
        stays=tuple(found),
        decoys=decoys,
        after=Stay(INDEX, first + PHARMACY, span.scan_ms, span.scan_ms),
    )


def _one_more(chance: Callable[[], float]) -> tuple[tuple[int, int, float, float, int], ...]:
    """A contact whose stay begins within one of the index case's stays, three seconds before its end or earlier."""
    venue, run, begin, end, _ = _INDEX_STAYS[int(chance() * len(_INDEX_STAYS))]
    start = begin + chance() * (end - begin - 0.03)
    return ((venue, run, start, min(1.0, start + 0.03 + chance() * 0.3), 1 + int(chance() * 8)),)


def rfc3339(at_ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339, UTC."""
    return format_timestamp(datetime.fromtimestamp(at_ms / 1000, UTC))
