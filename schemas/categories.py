"""The kinds of key venue a venue code applies to, and how long people stay in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class VenueCategory:
    """One kind of venue; stays are minutes, and an operator's setting rather than a fact."""

    category: str
    name_zh: str
    name_en: str
    is_vehicle: bool
    default_stay_minutes: int
    max_stay_minutes: int


DEFAULT_STAY_MINUTES = 60
MAX_STAY_MINUTES = 240
"""Stays assumed at a venue whose category nobody knows."""


def read_categories(lines: Iterable[str]) -> Mapping[str, VenueCategory]:
    """Categories by their code.

    Raises:
        ValueError: a column is missing, a number is none, or a default stay exceeds the longest.
    """
    found: dict[str, VenueCategory] = {}
    for row in csv.DictReader(lines):
        try:
            entry = VenueCategory(
                category=row["category"],
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                is_vehicle=row["is_vehicle"] == "true",
                default_stay_minutes=int(row["default_stay_minutes"]),
                max_stay_minutes=int(row["max_stay_minutes"]),
            )
        except KeyError as error:
            raise ValueError(f"venue categories lack the column {error}") from None
        if not 0 < entry.default_stay_minutes <= entry.max_stay_minutes:
            raise ValueError(f"category {entry.category}: the default stay must lie between 1 and the longest stay")
        found[entry.category] = entry
    return MappingProxyType(found)


@cache
def builtin_categories() -> Mapping[str, VenueCategory]:
    """The categories this project ships (`schemas/data/venue_categories.csv`)."""
    return read_categories((files("schemas") / "data" / "venue_categories.csv").read_text("utf-8").splitlines())
