"""New Zealand for the demo: real venues, real windows, made-up people, and the truth about who was where."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np

from producers.importers.times import EPOCH
from producers.nz import published
from producers.nz.dirty import dirty_rejects
from producers.nz.population import Visits, make_visits
from schemas.fast import encode_batch, epoch_ms
from schemas.health import HealthStatus
from schemas.ids import uuid7
from schemas.mirror import struct_of
from schemas.scan import Scan

Batch = tuple[list[bytes], list[bytes]]
"""Keys and JSON values of records, as a publisher takes them."""

BATCH_ROWS: Final = 5_000
GATEWAY: Final = "nz-demo"
_SHARE_YELLOW: Final = 0.01
_SHARE_RED: Final = 0.002
_SHARE_UNKNOWN: Final = 0.005


@dataclass(frozen=True, eq=False)
class NzCity:
    """The venues and windows that were published, and people among them.

    The same arguments give the same bytes. Times are the real ones of 2021 and 2022, unless shifted: the windows span
    167 days, more than a platform keeps, so it is one for analysis, with the retention lifted.

    Attributes:
        seed: of everything made up.
        tokens: of the people.
        visits: all scans, as columns.
        shift: by how much every time is moved.
    """

    seed: int
    tokens: tuple[str, ...]
    visits: Visits
    shift: timedelta

    @classmethod
    def build(
        cls, seed: int, people: int = 20_000, *, background: int = 110_000, shift: timedelta = timedelta(0)
    ) -> NzCity:
        """Make the people and their visits: about 220,000 scans in a second.

        Args:
            seed: any number.
            people: how many.
            background: visits that have nothing to do with the windows.
            shift: by how much to move every time.
        """
        random = np.random.default_rng(seed)
        pool = random.bytes(16 * people).hex()
        index = {key.decode(): number for number, key in enumerate(published.venues().keys)}
        windows = [
            (index[window.venue_id], epoch_ms(window.starts_at + shift), epoch_ms(window.ends_at + shift))
            for window in published.windows().records
        ]
        return cls(
            seed,
            tuple(pool[begin : begin + 32] for begin in range(0, len(pool), 32)),
            make_visits(random, people, len(index), windows, background),
            shift,
        )

    def venues(self) -> Batch:
        """The real venues, for the registry."""
        found = published.venues()
        return found.keys, found.values

    @cached_property
    def window_records(self) -> list[Any]:
        """The real windows, shifted, as Structs of `ExposureWindow`."""
        return [
            type(window)(
                **{
                    **{name: getattr(window, name) for name in window.__struct_fields__},
                    "starts_at": window.starts_at + self.shift,
                    "ends_at": window.ends_at + self.shift,
                }
            )
            for window in published.windows().records
        ]

    def windows(self) -> Batch:
        """The real windows, for `exposure.windows.v1`."""
        return published.windows().keys, encode_batch(self.window_records)

    def statuses(self) -> Batch:
        """A status for nearly everybody: most green, a few yellow or red, all in force over the whole time."""
        status: Any = struct_of(HealthStatus)
        chances = np.random.default_rng((self.seed, 1)).random(len(self.tokens))
        begins = datetime(2021, 7, 1, tzinfo=UTC) + self.shift
        records = [
            status(
                person_token=token,
                colour="red" if chance < _SHARE_RED else "yellow" if chance < _SHARE_RED + _SHARE_YELLOW else "green",
                reason="made up",
                valid_from=begins,
                valid_until=begins + timedelta(days=365),
                version=1,
                issuer=GATEWAY,
                issued_at=begins,
            )
            for token, chance in zip(self.tokens, chances.tolist(), strict=True)
            if chance < 1 - _SHARE_UNKNOWN
        ]
        return [record.person_token.encode() for record in records], encode_batch(records)

    @property
    def scan_count(self) -> int:
        """How many scans there are."""
        return len(self.visits.at_ms)

    def scans(self) -> Iterator[Batch]:
        """All scans in order of time, in batches, for `venue.scans.v1`."""
        scan: Any = struct_of(Scan)
        bits = np.random.default_rng((self.seed, 2)).integers(0, 1 << 62, self.scan_count).tolist()
        ids = [key.decode() for key in published.venues().keys]
        columns = zip(*(column.tolist() for column in self._columns), bits, strict=True)
        keys: list[bytes] = []
        records: list[Any] = []
        for person, venue, at, leaving, chance in columns:
            token = self.tokens[person]
            keys.append(token.encode())
            records.append(
                scan(
                    scan_id=uuid7(at, chance),
                    person_token=token,
                    venue_id=ids[venue],
                    point_id="main",
                    scanned_at=EPOCH + timedelta(milliseconds=at),
                    direction="leave" if leaving else "enter",
                    channel="phone",
                    gateway=GATEWAY,
                )
            )
            if len(keys) == BATCH_ROWS:
                yield keys, encode_batch(records)
                keys, records = [], []
        if keys:
            yield keys, encode_batch(records)

    @property
    def _columns(self) -> tuple[Any, Any, Any, Any]:
        visits = self.visits
        return visits.person, visits.venue, visits.at_ms, visits.leaving

    def truth(self) -> dict[str, frozenset[str]]:
        """Per window, who was there by the rule `nz_window`: an entry strictly between its start and its end.

        Worked out from the scans in plain Python, window by window, with nothing but the order of times.
        """
        entries: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for person, venue, at, leaving in zip(*(column.tolist() for column in self._columns), strict=True):
            if not leaving:
                entries[venue].append((at, person))
        index = {key.decode(): number for number, key in enumerate(published.venues().keys)}
        found: dict[str, frozenset[str]] = {}
        for window in self.window_records:
            there = entries.get(index[window.venue_id], [])
            first = bisect_right(there, epoch_ms(window.starts_at), key=lambda entry: entry[0])
            last = bisect_left(there, epoch_ms(window.ends_at), key=lambda entry: entry[0])
            found[window.window_id] = frozenset(self.tokens[person] for _, person in there[first:last])
        return found

    def rejects(self) -> Counter[str]:
        """The broken rows of the publication, put through the importer: rejects by reason, 238 of them."""
        return dirty_rejects()
