"""The published rows, read by the importers' own readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from producers.importers.fields import Kind
from producers.importers.kinds import Meaning, reader_maker
from producers.importers.places import Places, read_places
from producers.importers.plan import Circumstances
from producers.importers.reader import Limits
from producers.importers.records import Brake, chunks
from producers.importers.rejects import Rejects
from producers.importers.source import Layout, open_table
from producers.importers.times import TimeReader, zone

ATTRIBUTION: Final = "New Zealand Ministry of Health, nz-covid-data, © Crown, CC BY-SA 4.0, modified"
TIME_ZONE: Final = "Pacific/Auckland"

CATEGORIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "supermarket": "mall_supermarket",
        "retail": "mall_supermarket",
        "petrol": "mall_supermarket",
        "food_and_drink": "restaurant",
        "sport_and_leisure": "sports_venue",
        "health": "pharmacy",
        "education": "training_institution",
        "accommodation": "hotel",
        "worship": "cultural_centre",
        "transport_bus": "city_bus",
        "transport_train": "metro",
        "transport_flight": "aviation",
        "other": "enterprise",
    }
)
"""From the guessed kind of a venue to this project's category; the reasons are in README.md."""


@dataclass(frozen=True, slots=True)
class Published:
    """Records of one file: keys, JSON values and Structs, in the order of the rows."""

    keys: list[bytes]
    values: list[bytes]
    records: list[Any]


@contextmanager
def data_file(name: str) -> Iterator[Path]:
    """A file of the package as one on the disk."""
    with as_file(files("producers.nz") / "data" / name) as path:
        yield path


@cache
def places() -> Places:
    """The venues by name and address."""
    with data_file("venues.csv") as path:
        return read_places(path, Layout())


def meaning(form: str = "iso", *, keep_lossy: bool) -> Meaning:
    """What the publication's columns mean.

    Args:
        form: of its times.
        keep_lossy: take rows that lost characters to question marks.
    """
    now = datetime(2022, 2, 1, tzinfo=UTC)  # no row of these kinds is judged by its age
    return Meaning(
        times=TimeReader(form, zone(TIME_ZONE)),
        limits=Limits(now, None),
        columns={"window_id": "id"},
        maps={"category": CATEGORIES},
        venue_of=places().find,
        source=ATTRIBUTION,
        keep_versions=True,
        keep_lossy=keep_lossy,
    )


def _read(name: str, kind: Kind) -> Published:
    """All rows of a file.

    Raises:
        TooManyRejectsError: a row is refused; the files in the package are whole.
    """
    found = Published([], [], [])
    with data_file(name) as path, open_table(path, Layout()) as (table, _), Rejects(None) as rejects:
        reader = reader_maker(kind, meaning(keep_lossy=True))(table, Circumstances())
        for chunk in chunks(table, reader, "utf8", rejects, Brake(0.0)):
            found.keys.extend(chunk.keys)
            found.values.extend(chunk.values)
            found.records.extend(chunk.records)
    return found


@cache
def venues() -> Published:
    """The 2,485 venues as records of the registry, version 1."""
    return _read("venues.csv", "venues")


@cache
def windows() -> Published:
    """The 4,335 windows as exposure windows, at their real times."""
    return _read("windows.csv", "windows")
