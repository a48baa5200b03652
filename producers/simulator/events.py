"""Scans before they are text: one numpy row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

EVENT: Final = np.dtype(
    [
        ("due", np.int64),  # when it is sent, in event time; later than `at` for a late scan
        ("at", np.int64),  # when it happened, milliseconds since 1970
        ("token", np.uint8, (16,)),
        ("venue", np.int32),
        ("point", np.int8),
        ("leave", np.bool_),
        ("channel", np.int8),
        ("departure", np.int64),  # of the run, milliseconds since 1970; -1: no trip
        ("carriage", np.int8),
        ("seat", np.int8),
    ]
)
Events: TypeAlias = NDArray[Any]
"""A structured array of `EVENT`."""


def no_events() -> Events:
    return np.empty(0, EVENT)


def in_order(events: Events) -> Events:
    """By the time they are sent; whoever enters and leaves at one instant enters first."""
    return events[np.argsort(events["due"] * 2 + events["leave"], kind="stable")]


NoteKind = Literal["planted", "red", "scan"]


@dataclass(frozen=True, slots=True)
class Note:
    """What a batch means to a planted case, by its number.

    `planted`: all meetings lie before this (empty) batch. `red`: this batch is the index case's red status. `scan`:
    this batch is the index case's scan after it, to be sent when the status has certainly arrived.
    """

    kind: NoteKind
    case: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Records ready to be sent, ordered by `due`.

    Attributes:
        what: scans or statuses.
        due: event time at which each is sent, milliseconds since 1970, never falling.
        at: event time each tells about (a late scan is due after it); for an invalid record, `due`.
        keys, values: as they go on the topic; None only in invalid records.
        bad: which ones are invalid, on purpose.
    """

    what: Literal["scans", "statuses"]
    due: NDArray[np.int64]
    at: NDArray[np.int64]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    bad: NDArray[np.bool_]
    note: Note | None = None

    def __len__(self) -> int:
        return len(self.due)

    def part(self, begin: int, end: int) -> Batch:
        """Rows `begin` to before `end`; the note stays with the last row."""
        return Batch(
            self.what,
            self.due[begin:end],
            self.at[begin:end],
            self.keys[begin:end],
            self.values[begin:end],
            self.bad[begin:end],
            self.note if end >= len(self) else None,
        )
