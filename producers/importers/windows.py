"""Rows as exposure windows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from producers.importers.columns import Columns, required_text, text_of
from producers.importers.row import Row, RowRejected, is_lossy
from producers.importers.times import TimeReader
from schemas.exposure_window import ExposureWindow
from schemas.mirror import struct_of

VenueFinder = Callable[[str, str], str | None]
"""From a venue's name and address to its id."""


class WindowReader:
    """Reads exposure windows.

    Args:
        columns: of the file.
        times: how times are written.
        venue_of: finds a venue by name and address; None: the file has a column of venue ids.
        source: who published them.
        keep_versions: whether rows that share an id are different windows (a publication's successive versions): the
            window id is then the published one, `-`, and ten hex digits of a hash of the row; else the last one wins.
        keep_lossy: take names and addresses that lost characters to question marks.
        shift: by how much every time is moved.

    Raises:
        ConfigurationError: a column is missing.
    """

    model = ExposureWindow

    def __init__(
        self,
        columns: Columns,
        times: TimeReader,
        *,
        venue_of: VenueFinder | None,
        source: str,
        keep_versions: bool = False,
        keep_lossy: bool = False,
        shift: timedelta = timedelta(0),
    ) -> None:
        self._times, self._shift = times, shift
        self._venue_of = venue_of
        self._venue = columns.required("venue", "venue_id") if venue_of is None else 0
        find_name = columns.optional if venue_of is None else columns.required
        self._name = find_name("name", "location", "venue_name")
        self._address = columns.optional("address")
        self._id = columns.optional("window_id", "id")
        self._start = columns.required("starts_at", "start")
        self._end = columns.required("ends_at", "end")
        self._title = columns.optional("title", "event")
        self._advice = columns.optional("advice", "information")
        self._source_column = columns.optional("source")
        self._source = source
        self._keep_versions = keep_versions or self._id is None
        self._keep_lossy = keep_lossy
        self._window: Any = struct_of(ExposureWindow)

    def time_of(self, row: Row) -> datetime:
        """When it ends, before any shift."""
        return self._times.read(row.cells[self._end])

    def read(self, row: Row) -> Any:
        """See `RowReader`."""
        name, address = text_of(row, self._name), text_of(row, self._address)
        title = text_of(row, self._title, name)
        if not self._keep_lossy and (is_lossy(name) or is_lossy(title) or "?" in address):
            raise RowRejected("lossy_question_mark")
        starts_at, ends_at = self._times.read(row.cells[self._start]), self._times.read(row.cells[self._end])
        if ends_at <= starts_at:
            raise RowRejected("stay_not_positive")
        return self._window(
            window_id=self._window_id(row),
            venue_id=self._venue_id(row, name, address),
            starts_at=starts_at + self._shift,
            ends_at=ends_at + self._shift,
            title=title,
            advice=text_of(row, self._advice),
            source=text_of(row, self._source_column, self._source),
        )

    def _venue_id(self, row: Row, name: str, address: str) -> str:
        if self._venue_of is None:
            return required_text(row, self._venue)
        found = self._venue_of(name, address)
        if found is None:
            raise RowRejected("unknown_place")
        return found

    def _window_id(self, row: Row) -> str:
        given = text_of(row, self._id)
        if not self._keep_versions and given:
            return given
        digest = hashlib.blake2b("\x1f".join(row.cells).encode(), digest_size=5).hexdigest()
        return f"{given}-{digest}" if given else digest

    def finish(self, drafts: Sequence[Any]) -> tuple[list[bytes], list[Any]]:
        """See `RowReader`."""
        return [draft.window_id.encode() for draft in drafts], list(drafts)
