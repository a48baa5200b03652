"""Made-up visits to the real venues, as columns: around the published windows, and everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_AT_WINDOW: Final = 4.0
"""People a window, on average, who enter inside it."""
_ENTER_EDGES: Final = (0, 1, -1)
"""Milliseconds from a window's edges at which somebody enters: on the edge, just inside, just outside."""
_LEAVE_SHARE: Final = 0.6
"""Of visits, that end with a second scan."""
_HOURS: Final = np.array([0] * 6 + [1, 3, 6, 6, 6, 7, 8, 8, 7, 7, 8, 9, 8, 6, 4, 2, 1, 0], dtype=np.float64)
"""How many come at each hour of the day, relatively."""
_UTC_OFFSET: Final = 13 * 3_600_000
"""Of New Zealand's summer; only the crowding by hour depends on it."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Scans as columns, in order of time.

    Attributes:
        person, venue: indexes.
        at_ms: epoch milliseconds.
        leaving: whether it is the scan on the way out.
    """

    person: Ints
    venue: Ints
    at_ms: Ints
    leaving: npt.NDArray[np.bool_]


def make_visits(
    random: np.random.Generator,
    people: int,
    venues: int,
    windows: Sequence[tuple[int, int, int]],
    background: int,
) -> Visits:
    """Visits of `people` to `venues`.

    At every window some enter inside it, one shortly before it (and stays into it: not there by the rule that counts
    entries), one shortly after; at every tenth window one each enters exactly on, just inside and just outside its
    edges.

    Args:
        random: the source of chance.
        people: how many there are.
        venues: how many there are.
        windows: (venue, start, end) of each; epoch milliseconds.
        background: visits that have nothing to do with windows.
    """
    places, starts, ends = (np.array(column, dtype=np.int64) for column in zip(*windows, strict=True))
    inside = np.repeat(np.arange(len(windows)), random.poisson(_AT_WINDOW, len(windows)))
    length = ends - starts
    tenth = np.arange(0, len(windows), 10)
    entries = [
        (places[inside], starts[inside] + 1 + (random.random(len(inside)) * (length[inside] - 2)).astype(np.int64)),
        (places, starts - 1 - random.integers(0, 30 * _MINUTE, len(windows))),
        (places, ends + 1 + random.integers(0, 30 * _MINUTE, len(windows))),
        *((places[tenth], starts[tenth] + edge) for edge in _ENTER_EDGES),
        *((places[tenth], ends[tenth] - edge) for edge in _ENTER_EDGES),
        (random.integers(0, venues, background), _by_day(random, int(starts.min()), int(ends.max()), background)),
    ]
    venue = np.concatenate([part for part, _ in entries])
    enter = np.concatenate([part for _, part in entries])
    person = random.integers(0, people, len(venue))
    leaves = random.random(len(venue)) < _LEAVE_SHARE
    stay = (random.lognormal(np.log(35 * _MINUTE), 0.7, len(venue))).astype(np.int64) + _MINUTE
    at = np.concatenate([enter, (enter + stay)[leaves]])
    order = np.argsort(at, kind="stable")
    return Visits(
        np.concatenate([person, person[leaves]])[order],
        np.concatenate([venue, venue[leaves]])[order],
        at[order],
        np.concatenate([np.zeros(len(venue), bool), np.ones(int(leaves.sum()), bool)])[order],
    )


def _by_day(random: np.random.Generator, begin: int, end: int, count: int) -> Ints:
    """Times between two, all days alike, hours as people come."""
    first = (begin + _UTC_OFFSET) // _DAY
    days = random.integers(first, (end + _UTC_OFFSET) // _DAY + 1, count)
    hours = random.choice(24, count, p=_HOURS / _HOURS.sum())
    at = days * _DAY - _UTC_OFFSET + hours * 3_600_000 + random.integers(0, 3_600_000, count)
    return np.asarray(np.clip(at, begin, end), dtype=np.int64)
