"""The city's habits as data: districts, how kinds of venue are visited, and the hours of the day.

Codes and names of the districts are facts (GB/T 2260); centres, shares and all habits are own approximations, made to
be plausible and no more.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast

Access = Literal["open", "gate", "staff"]


@dataclass(frozen=True, slots=True)
class District:
    """A district or county: centre in WGS 84 degrees, spread in km, `share` of the residents."""

    area_code: str
    name_zh: str
    name_en: str
    lat: float
    lon: float
    spread_km: float
    share: float
    urban: bool


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """How a kind of venue is visited; the weights are relative to the other kinds'.

    Attributes:
        curve: a name in `CURVES`.
        access: how people with a phone usually get in: they scan, a gate does, or staff do.
        where: `all`, `urban`, or one area code.
    """

    category: str
    venue_weight: float
    errand_weight: float
    job_weight: float
    curve: str
    access: Access
    where: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    return csv.DictReader((files("producers.simulator") / "data" / name).read_text("utf-8").splitlines())


@cache
def districts() -> tuple[District, ...]:
    """Taiyuan's ten districts and counties."""
    shapes = {row["area_code"]: row for row in _rows("district_shapes.csv")}
    return tuple(
        District(
            area_code=row["area_code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            lat=float(shape["lat"]),
            lon=float(shape["lon"]),
            spread_km=float(shape["spread_km"]),
            share=float(shape["share"]),
            urban=shape["urban"] == "true",
        )
        for row in _rows("taiyuan_districts.csv")
        if (shape := shapes.get(row["area_code"])) is not None
    )


@cache
def category_profiles() -> tuple[CategoryProfile, ...]:
    """One profile for every kind of venue, in the order of the file."""
    return tuple(
        CategoryProfile(
            category=row["category"],
            venue_weight=float(row["venue_weight"]),
            errand_weight=float(row["errand_weight"]),
            job_weight=float(row["job_weight"]),
            curve=row["curve"],
            access=cast("Access", row["access"]),
            where=row["where"],
        )
        for row in _rows("category_profiles.csv")
    )


# fmt: off
CURVES: Final[dict[str, tuple[int, ...]]] = {
    #           0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
    "morning": (0, 0, 0, 0, 1, 4, 8, 9, 8, 7, 5, 3, 2, 1, 1, 2, 4, 5, 4, 2, 1, 0, 0, 0),
    "meal":    (1, 0, 0, 0, 0, 2, 5, 7, 5, 2, 2, 7, 9, 5, 2, 1, 2, 6, 9, 8, 5, 3, 2, 1),
    "day":     (0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 7, 6, 5, 5, 6, 7, 7, 6, 6, 6, 5, 3, 1, 0),
    "office":  (0, 0, 0, 0, 0, 0, 1, 4, 8, 9, 8, 5, 2, 5, 8, 8, 6, 3, 1, 0, 0, 0, 0, 0),
    "evening": (1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 5, 7, 9, 9, 6, 3, 2),
    "night":   (6, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 6, 8, 9, 9, 8),
    "ride":    (1, 0, 0, 0, 1, 3, 6, 9, 9, 5, 4, 4, 4, 4, 4, 4, 5, 8, 8, 5, 4, 3, 2, 1),
    "home":    (0,) * 24,
}
"""Crowding by hour of the day, 0 to 9."""

OUTINGS_PER_HOUR: Final = (
    0.03, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15,  # until 06:00
    0.60, 1.30, 2.20, 2.80, 2.60, 1.80, 1.00, 0.70, 0.60, 0.60, 0.70, 0.80,  # until 12:00
    0.80, 0.70, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.55, 0.65, 1.00, 1.40,  # until 18:00
    1.50, 1.30, 1.00, 0.90, 0.70, 0.60, 0.45, 0.35, 0.20, 0.12, 0.08, 0.05,  # until 24:00
)
"""How often a resident who is free sets out, an hour, by half-hour of the day: the morning peak is before eight."""

TO_WORK: Final = (0, 0, 0, 0, .1, .3, .5, .7, .75, .6, .4, .2, .2, .35, .3, .1, .1, .05, .05, .05, .05, .05, .02, 0)
"""Share of outings of working people that lead to work, by hour."""

TO_HOME: Final = (.8, .8, .8, .8, .5, .2, .05, .05, .05, .05, .1, .2, .2, .2, .1, .1, .2, .4, .5, .5, .6, .7, .8, .8)
"""Share of the other outings that lead home, by hour, for whoever is not there."""
# fmt: on
