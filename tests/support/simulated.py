"""Small simulated cities for tests."""

from __future__ import annotations

from typing import Any, Final

from producers.simulator import Batch, Case, City, CityConfig, Scenario, cases_within, plan_case
from schemas.fast import FastDecoder
from schemas.scan import Scan

START_MS: Final = 1_795_300_200_000
"""2026-11-22 06:30 in Taiyuan; no test compares it with the clock."""

DECODER: Final = FastDecoder(Scan)


def make_city(**changes: Any) -> City:
    """A city of 2,000 people and 500 venues."""
    return City.build(CityConfig(**{"seed": 7, "residents": 2_000, "venues": 500, **changes}))


def make_cases(city: City, seconds: float, count: int, start_ms: int = START_MS) -> list[Case]:
    """Planted cases of a run of so many seconds of event time."""
    spans = cases_within(start_ms, seconds, count, city.zone)
    return [plan_case(city.config, city.venue_table, number, span) for number, span in enumerate(spans)]


def make_batches(city: City, seconds: float, cases: int = 0, start_ms: int = START_MS) -> list[Batch]:
    """All batches of a run."""
    scenario = Scenario(city, start_ms, start_ms + int(seconds * 1000), make_cases(city, seconds, cases, start_ms))
    list(scenario.statuses())
    return list(scenario.batches())


def good_values(batches: list[Batch]) -> list[bytes]:
    """The values of all valid scans, in order."""
    found = []
    for batch in batches:
        if batch.what == "scans":
            found += [
                value for value, bad in zip(batch.values, batch.bad, strict=True) if value is not None and not bad
            ]
    return found


def scans_of(batches: list[Batch]) -> list[Scan]:
    """All valid scans, decoded, in order."""
    return [DECODER.decode(value) for value in good_values(batches)]
