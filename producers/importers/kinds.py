"""The four kinds of file, and how the reader of each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from producers.importers import scans, statuses, venues, windows
from producers.importers.columns import Columns
from producers.importers.fields import Kind
from producers.importers.persons import TokenOf
from producers.importers.plan import Circumstances
from producers.importers.reader import Limits, RowReader
from producers.importers.table import Table
from producers.importers.times import TimeReader
from producers.importers.windows import VenueFinder


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the columns of a file mean.

    Attributes:
        times: how times are written.
        limits: which times of scans are taken.
        columns: field to column, where the user named one.
        maps: per field, meanings of its values.
        token_of: turns a person id into a token; None without a key.
        venue_of: finds the venue of a window by name and address; None: windows have venue ids.
        source, keep_versions: see `WindowReader`.
        keep_lossy: see `WindowReader` and `VenueReader`.
        default_category: see `VenueReader`.
        valid_for, issuer: see `StatusReader`.
    """

    times: TimeReader
    limits: Limits
    columns: Mapping[str, str | None] = field(default_factory=dict)
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    token_of: TokenOf | None = None
    venue_of: VenueFinder | None = None
    source: str = "import"
    keep_versions: bool = False
    keep_lossy: bool = False
    default_category: str | None = None
    valid_for: timedelta | None = None
    issuer: str = "import"


def reader_maker(kind: Kind, meaning: Meaning) -> Callable[[Table, Circumstances], RowReader]:
    """What makes the reader of such a file, once the file is open; it raises ConfigurationError for missing columns."""

    def make(table: Table, told: Circumstances) -> RowReader:
        columns = Columns(table.header, table.width, meaning.columns)
        if kind == "scans":
            return scans.ScanReader(
                columns,
                meaning.times,
                meaning.limits,
                token_of=meaning.token_of,
                gateway=told.gateway,
                maps=meaning.maps,
                shift=told.shift,
            )
        if kind == "venues":
            return venues.VenueReader(
                columns,
                maps=meaning.maps,
                version=told.version,
                default_category=meaning.default_category,
                keep_lossy=meaning.keep_lossy,
            )
        if kind == "windows":
            return windows.WindowReader(
                columns,
                meaning.times,
                venue_of=meaning.venue_of,
                source=meaning.source,
                keep_versions=meaning.keep_versions,
                keep_lossy=meaning.keep_lossy,
                shift=told.shift,
            )
        return statuses.StatusReader(
            columns,
            meaning.times,
            token_of=meaning.token_of,
            maps=meaning.maps,
            valid_for=meaning.valid_for,
            issuer=meaning.issuer,
            shift=told.shift,
        )

    return make
