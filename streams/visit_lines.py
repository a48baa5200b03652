"""Visits as they go on the topic, put together from ready-made parts instead of encoded from objects.

Byte for byte what `streams.decide.decide` and `schemas.fast.encode` make of the same scans (property-tested). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

import numpy as np

from schemas.fast import encode_value
from schemas.side_by_side import texts_of
from schemas.utc_times import FORM, SECONDS_AT, Mask
from streams.batching.batch import Batch
from streams.decide import VenueView
from streams.rules import RuleSet
from streams.scan_columns import ScanColumns
from streams.statuses.kinds import Kind
from streams.statuses.partition import InForce

_MINUTE_MS: Final = 60_000
_PARTS: Final = 6
_STAY: Final = f'"{FORM}"'
_SECONDS: Final = slice(1 + SECONDS_AT, len(_STAY) - 1)
_NO_FRACTION: Final = '.000000Z"'


class VisitLines:
    """A line for each record of a batch that became a visit.

    The parts of all lines are joined once: a visit is larger than what the interpreter allocates by itself, and asking
    the C library for each one, twice, cost as much as putting it together.

    Args:
        size: records in the batch; none has a line yet.
    """

    def __init__(self, size: int) -> None:
        self._parts: list[str] = [""] * (_PARTS * size)

    def put_all(self, positions: Sequence[int], *columns: Sequence[str]) -> None:
        """The lines at these positions, each in six parts, the last one with a line break at its end."""
        size = len(self._parts) // _PARTS
        for part, column in enumerate(columns):
            if len(column) == size:
                self._parts[part::_PARTS] = column
            elif 2 * len(column) > size:
                # A few of many are missing, as where one scan in a hundred is bad: a loop took a tenth of all the time.
                whole = np.array(self._parts[part::_PARTS], object)
                whole[positions] = column
                self._parts[part::_PARTS] = whole.tolist()
            else:
                for at, text in zip(positions, column, strict=True):
                    self._parts[_PARTS * at + part] = text

    def put(self, position: int, visit: bytes) -> None:
        """The line at a position, in place of another."""
        self._put(position, visit.decode(), "\n")

    def drop(self, position: int) -> None:
        """No line at a position."""
        self._put(position)

    def text(self) -> bytes:
        """All lines, each ended by a line break."""
        return "".join(self._parts).encode()

    def _put(self, position: int, *parts: str) -> None:
        self._parts[_PARTS * position : _PARTS * (position + 1)] = [*parts, *[""] * (_PARTS - len(parts))]


def write_visits(
    lines: VisitLines,
    scans: ScanColumns,
    venues: Sequence[VenueView],
    statuses: InForce,
    kinds: Sequence[Kind],
    rules: RuleSet,
    late: Mask,
    batch: Batch,
    bounds: Sequence[int],
    now: datetime,
) -> None:
    """Put the visit of every scan at its position.

    Args:
        lines: where to.
        scans: n of them.
        venues, statuses: one of each a scan.
        kinds: what the numbers in `statuses` mean.
        rules: what each colour means.
        late: which scans reached Kafka later than the policy calls in time.
        batch: that the scans are of.
        bounds: those of the n-th stretch of the batch are between the n-th bound and the next.
        now: time of processing.
    """
    origins: list[str] = []
    for stretch, (begin, past) in zip(batch.stretches, pairwise(bounds), strict=True):
        topic, partition = stretch.place
        origin = f',"source_topic":{encode_value(topic)},"source_partition":{partition},"source_offset":'
        origins += [origin] * (past - begin)
    end = f',"processed_at":{encode_value(now)}}}\n'
    numbers = statuses.kind.tolist()
    parts = {number: _status_parts(kinds[number], rules) for number in set(numbers)}
    versions: list[int | str] = statuses.version.tolist()
    ages: list[int | str] = ((scans.at_ms - statuses.issued_ms) // 1000).tolist()
    for at in np.flatnonzero(statuses.kind == 0).tolist():
        versions[at] = ages[at] = "null"
    flags = [venue.flags_json for venue in venues]
    for at in np.flatnonzero(late).tolist():
        flags[at] = flags[at][:-1] + ('"late"]' if flags[at].endswith("[]") else ',"late"]')
    kinds_of_each = [parts[number] for number in numbers]
    told = [
        f"{version}{age_is}{age}{decision}{stay}{flag}{origin}{offset}"
        for (_, age_is, decision), version, age, stay, flag, origin, offset in zip(
            kinds_of_each,
            versions,
            ages,
            _stays(scans, venues),
            flags,
            origins,
            map(batch.offsets.__getitem__, scans.positions),
            strict=True,
        )
    ]
    places, colours = [venue.place_json for venue in venues], [colour for colour, _, _ in kinds_of_each]
    lines.put_all(scans.positions, scans.heads, scans.tails, places, colours, told, [end] * len(scans))


def _status_parts(kind: Kind, rules: RuleSet) -> tuple[str, str, str]:
    """What stands before, between and behind the version and the age of the status."""
    colour, labels = kind
    before = f',"colour":"{colour}","labels":{encode_value(labels)},"status_version":'
    return before, ',"status_age_s":', f',"decision":"{rules.rules[colour].decision}","stay_until":'


def _stays(scans: ScanColumns, venues: Sequence[VenueView]) -> list[str]:
    """Until when each person stays, as JSON: whole minutes are added, so seconds and fraction are the scan's."""
    stay = np.fromiter([venue.stay_minutes for venue in venues], np.int64, len(scans))
    minutes, which = np.unique(scans.at_ms // _MINUTE_MS + stay, return_inverse=True)
    until = "".join(f'"{minute}:' for minute in np.datetime_as_string(minutes.astype("M8[m]")).tolist()).encode()
    rows = np.full((len(scans), len(_STAY)), ord('"'), np.uint8)
    rows[:, : _SECONDS.start] = np.frombuffer(until, np.uint8).reshape(-1, _SECONDS.start)[which]
    rows[:, _SECONDS] = scans.seconds
    found = texts_of(rows)
    for at in (scans.at_ms % 1000 == 0).nonzero()[0].tolist():
        if found[at].endswith(_NO_FRACTION):
            found[at] = found[at].removesuffix(_NO_FRACTION) + 'Z"'
    for at in (~scans.enters).nonzero()[0].tolist():
        found[at] = "null"
    return found
