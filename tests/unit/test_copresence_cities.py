"""The cities that the views are compared with the oracle on: what is easy to get wrong is really in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.support.copresence_cities import HOUR, MIDNIGHT, City, cities
from tests.support.copresence_oracle import OracleScan, unique_scans

NEW_YORK_CHANGES = MIDNIGHT + 7 * HOUR


def in_turn(city: City) -> Iterator[list[OracleScan]]:
    """The scans of each person, in their order."""
    for person in city.people:
        yield sorted((scan for scan in unique_scans(city.scans) if scan.person == person), key=lambda scan: scan.order)


def neighbours(city: City) -> Iterator[tuple[OracleScan, OracleScan]]:
    """An entry, and the next scan of the same person."""
    for scans in in_turn(city):
        yield from (pair for pair in itertools.pairwise(scans) if pair[0].direction == "enter")


def a_leave_without_an_entry(city: City) -> bool:
    return any(scans and scans[0].direction == "leave" for scans in in_turn(city))


def a_scan_decided_twice(city: City) -> bool:
    return len(unique_scans(city.scans)) < len(city.scans)


def a_scan_made_twice(city: City) -> bool:
    return any(
        (one.at, one.place, one.direction) == (two.at, two.place, two.direction) for one, two in neighbours(city)
    )


def two_scans_in_one_second(city: City) -> bool:
    return any(one.at < two.at < one.at + 1000 for one, two in neighbours(city))


def a_stay_over_midnight(city: City) -> bool:
    return any(one.at < MIDNIGHT < two.at < one.at + 4 * HOUR for one, two in neighbours(city))


def a_stay_over_the_change_of_clocks(city: City) -> bool:
    return any(one.at < NEW_YORK_CHANGES < two.at < one.at + 12 * HOUR for one, two in neighbours(city))


def one_trip_with_and_without_carriage(city: City) -> bool:
    known = {(scan.trip, bool(scan.carriage)) for scan in city.scans if scan.trip}
    return any((trip, False) in known for trip, carriage in known if carriage)


def somebody_who_never_leaves(city: City) -> bool:
    return any(len(scans) > 1 and {scan.direction for scan in scans} == {"enter"} for scans in in_turn(city))


def a_venue_without_category(city: City) -> bool:
    return any(scan.category is None for scan in city.scans)


def a_late_arrival_that_ends_an_earlier_stay(city: City) -> bool:
    """Stored after what the person did later, and between that and an entry before."""
    for scans in in_turn(city):
        for before, late, after in zip(scans, scans[1:], scans[2:], strict=False):
            stored = [city.scans.index(scan) for scan in (before, late, after)]
            if late.late and before.direction == "enter" and stored[1] > max(stored[0], stored[2]):
                return True
    return False


@pytest.mark.parametrize(
    "case",
    [
        a_leave_without_an_entry,
        a_scan_decided_twice,
        a_scan_made_twice,
        two_scans_in_one_second,
        a_stay_over_midnight,
        a_stay_over_the_change_of_clocks,
        one_trip_with_and_without_carriage,
        somebody_who_never_leaves,
        a_venue_without_category,
        a_late_arrival_that_ends_an_earlier_stay,
    ],
)
def test_a_few_hundred_cities_have(case: Callable[[City], bool]) -> None:
    few = settings(
        max_examples=500,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    assert find(cities(), case, settings=few)
