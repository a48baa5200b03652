"""Everything a run of the simulator sends, in event time: background, planted cases, changes of colour, bad records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from producers.simulator.bad import with_bad_records
from producers.simulator.cases import INDEX, Case
from producers.simulator.changes import ColourChanges
from producers.simulator.city import City
from producers.simulator.config import SLICE_MS, STREAM_BAD, STREAM_IDS
from producers.simulator.events import Batch, Events, Note, in_order
from producers.simulator.movement import Movement
from producers.simulator.scans import encode_scans
from producers.simulator.statuses import changed_status

_LEAD_MS = 3_600_000


class Scenario:
    """A city from `start_ms` until before `end_ms` (None: for ever), with planted cases.

    Take `statuses` first, then `batches`; both once. Order, ids and bytes depend on the city's configuration, the start
    and the cases alone.

    Args:
        cases: ordered by their begin; may be endless.
    """

    def __init__(self, city: City, start_ms: int, end_ms: int | None = None, cases: Iterable[Case] = ()) -> None:
        self.city, self.start_ms, self.end_ms = city, start_ms, end_ms
        self.cases: dict[int, Case] = {}
        self._coming = iter(cases)
        self._next = next(self._coming, None)
        self._active: deque[tuple[Case, Events]] = deque()

    def statuses(self) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Statuses to publish before the first scan: the residents', and the first cases' people's."""
        yield from self.city.statuses(self.start_ms)
        for case in self._begin_cases(self.start_ms):
            yield changed_status(case.tokens, "green", self.start_ms, 1)

    def batches(self) -> Iterator[Batch]:
        """What is sent after that, ordered by `due`."""
        city, config = self.city, self.city.config
        movement = Movement(config, city.venue_table, city.people, self.start_ms)
        changes = ColourChanges(config, city.people, movement)
        number = 0
        while self.end_ms is None or self.start_ms + number * SLICE_MS < self.end_ms:
            begin = self.start_ms + number * SLICE_MS
            end = begin + SLICE_MS if self.end_ms is None else min(begin + SLICE_MS, self.end_ms)
            for keys, values in changes.step(number, begin):
                yield _statuses(keys, values, begin)
            for case in self._begin_cases(begin):
                yield _statuses(*changed_status(case.tokens, "green", begin, 1), begin)
            background = movement.step(number)
            planted = [_between(events, begin, end) for _, events in self._active]
            events = in_order(np.concatenate([_between(background, begin, end), *planted]))
            yield from self._marked(self._encoded(events, number), begin, end)
            while self._active and self._active[0][0].span.scan_ms < end:
                self._active.popleft()
            number += 1

    def _begin_cases(self, at_ms: int) -> Iterator[Case]:
        """Cases that begin within an hour; their people get their statuses now."""
        while self._next is not None and self._next.span.begin_ms < at_ms + _LEAD_MS:
            case, self._next = self._next, next(self._coming, None)
            self.cases[case.number] = case
            self._active.append((case, case.events()))
            yield case

    def _encoded(self, events: Events, number: int, *more: int) -> Batch:
        config, city = self.city.config, self.city
        keys, values = encode_scans(events, city.venue_table, city.zone, config.random(STREAM_IDS, number, *more))
        good = np.zeros(len(events), np.bool_)
        batch = Batch("scans", events["due"].copy(), events["at"].copy(), keys, values, good)
        if config.bad_share and not more:
            return with_bad_records(batch, config.bad_share, config.random(STREAM_BAD, number))
        return batch

    def _marked(self, scans: Batch, begin: int, end: int) -> Iterator[Batch]:
        """The slice's scans, cut where a planted case has something to say."""
        marks: list[tuple[int, Batch]] = []
        for case, _ in self._active:
            span = case.span
            if begin <= span.end_ms < end:
                marks.append((span.end_ms, _noted(scans.part(0, 0), Note("planted", case.number))))
            if begin <= span.red_ms < end:
                red = changed_status(case.tokens[INDEX : INDEX + 1], "red", span.red_ms, 2)
                marks.append((span.red_ms, _noted(_statuses(*red, span.red_ms), Note("red", case.number))))
            if begin <= span.scan_ms < end:
                after = self._encoded(case.scan_after(), (span.scan_ms - self.start_ms) // SLICE_MS, 1 + case.number)
                marks.append((span.scan_ms, _noted(after, Note("scan", case.number))))
        sent = 0
        for due, mark in sorted(marks, key=lambda found: found[0]):
            cut = int(np.searchsorted(scans.due, due, side="right"))
            if cut > sent:
                yield scans.part(sent, cut)
                sent = cut
            yield mark
        if sent < len(scans):
            yield scans.part(sent, len(scans))


def _between(events: Events, begin: int, end: int) -> Events:
    return events[(events["due"] >= begin) & (events["due"] < end)]


def _noted(batch: Batch, note: Note) -> Batch:
    return Batch(batch.what, batch.due, batch.at, batch.keys, batch.values, batch.bad, note)


def _statuses(keys: list[bytes], values: list[bytes], at_ms: int) -> Batch:
    at = np.full(len(keys), at_ms, np.int64)
    return Batch("statuses", at, at, keys, values, np.zeros(len(keys), np.bool_))
