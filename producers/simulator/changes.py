"""Residents whose colour changes during a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from producers.simulator.config import SLICE_MS, STREAM_CHANGES, CityConfig
from producers.simulator.movement import Movement
from producers.simulator.people import COLOURS, GREEN, RED, YELLOW, People
from producers.simulator.statuses import changed_status


class ColourChanges:
    """Decides who changes colour, slice by slice.

    Somebody whose colour changes scans nothing for at least one slice (five minutes of event time) before it and one
    after it, so that a reader that is up to date never has to guess which colour was in force.
    """

    def __init__(self, config: CityConfig, people: People, movement: Movement) -> None:
        self._config, self._people, self._movement = config, people, movement
        self._colour = people.colour.copy()
        self._version: dict[int, int] = {}
        self._next: list[int] = []

    def step(self, number: int, begin_ms: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """The statuses issued at the start of a slice, as keys and values; called for slice 0, 1, 2, ... in order."""
        rng = self._config.random(STREAM_CHANGES, number)
        for person in self._next:
            turns_red = rng.random() < 0.15
            colour = (RED if turns_red else YELLOW) if self._colour[person] == GREEN else GREEN
            self._colour[person] = colour
            self._version[person] = self._version.get(person, 1) + 1
            token = self._people.tokens[person : person + 1]
            yield changed_status(token, COLOURS[colour], begin_ms, self._version[person])
        drawn = int(self._config.changes_per_hour * SLICE_MS / 3_600_000 + rng.random())
        rows = np.unique(rng.integers(0, len(self._people), drawn))
        rows = rows[self._movement.free(begin_ms)[rows]]
        self._movement.keep_in(rows, begin_ms + 2 * SLICE_MS)
        self._next = rows.tolist()
