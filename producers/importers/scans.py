"""Rows as scans."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from producers.importers.columns import Choice, Columns, required_text, text_of
from producers.importers.occurrences import Occurrences
from producers.importers.persons import Persons, TokenOf
from producers.importers.reader import Limits
from producers.importers.row import Row
from producers.importers.times import TimeReader
from schemas.fast import epoch_ms
from schemas.ids import uuid7
from schemas.mirror import struct_of
from schemas.scan import Channel, Direction, Scan, Trip

_Draft = tuple[datetime, str, str, str, Any, Any, Any]


class ScanReader:
    """Reads scans.

    A person's id becomes a token here and is nowhere else. A row without a direction is an entry, without a channel
    `manual`, without a point the venue's `main` one. A row's scan id is made of its time and a hash of (token, venue,
    point, time, direction, n) for the n-th such row of the file: the same file gives the same ids every time.

    Args:
        columns: of the file.
        times: how times are written.
        limits: which times are taken.
        token_of: turns a person id into a token; None: no key was given.
        gateway: by which the scans are known to come from this import.
        maps: meanings of the values of `direction` and `channel`.
        shift: by how much every time is moved.

    Raises:
        ConfigurationError: a column is missing, or there are person ids and no key.
    """

    model = Scan

    def __init__(
        self,
        columns: Columns,
        times: TimeReader,
        limits: Limits,
        *,
        token_of: TokenOf | None,
        gateway: str,
        maps: Mapping[str, Mapping[str, str]],
        shift: timedelta = timedelta(0),
    ) -> None:
        self._times, self._limits, self._shift, self._gateway = times, limits, shift, gateway
        self._persons = Persons(columns, token_of)
        self._venue = columns.required("venue", "venue_id")
        self._at = columns.required("at", "scanned_at", "time", "timestamp")
        self._point = columns.optional("point", "point_id")
        self._direction = Choice(columns.optional("direction"), get_args(Direction), "enter", maps.get("direction", {}))
        self._channel = Choice(columns.optional("channel"), get_args(Channel), "manual", maps.get("channel", {}))
        self._trip = tuple(columns.optional(name) for name in ("vehicle", "run", "carriage", "seat"))
        self._scan: Any = struct_of(Scan)
        self._trip_struct: Any = struct_of(Trip)
        self._occurrences = Occurrences()

    def time_of(self, row: Row) -> datetime:
        """When it was scanned, before any shift."""
        return self._times.read(row.cells[self._at])

    def read(self, row: Row) -> _Draft:
        """See `RowReader`."""
        at = self.time_of(row) + self._shift
        self._limits.check(at)
        return (
            at,
            self._persons.token(row),
            required_text(row, self._venue),
            text_of(row, self._point, "main"),
            self._direction.of(row),
            self._channel.of(row),
            self._trip_of(row),
        )

    def _trip_of(self, row: Row) -> Any:
        vehicle, run, carriage, seat = (text_of(row, index) or None for index in self._trip)
        if vehicle is None or run is None:
            return None
        return self._trip_struct(vehicle=vehicle, run=run, carriage=carriage, seat=seat)

    def finish(self, drafts: Sequence[_Draft]) -> tuple[list[bytes], list[Any]]:
        """See `RowReader`."""
        times = [epoch_ms(draft[0]) for draft in drafts]
        hashes = [
            hashlib.blake2b(
                b"\xff".join((draft[1].encode(), draft[2].encode(), draft[3].encode(), b"%d" % ms, draft[4].encode()))
            )
            for draft, ms in zip(drafts, times, strict=True)
        ]
        numbers = self._occurrences.number([int.from_bytes(found.digest()[:8]) for found in hashes])
        keys, records = [], []
        for draft, ms, found, number in zip(drafts, times, hashes, numbers, strict=True):
            at, token, venue, point, direction, channel, trip = draft
            found.update(b"\xff%d" % number)
            records.append(
                self._scan(
                    scan_id=uuid7(ms, int.from_bytes(found.digest()[:10]) & ((1 << 74) - 1)),
                    person_token=token,
                    venue_id=venue,
                    point_id=point,
                    scanned_at=at,
                    direction=direction,
                    channel=channel,
                    trip=trip,
                    gateway=self._gateway,
                )
            )
            keys.append(token.encode())
        return keys, records
