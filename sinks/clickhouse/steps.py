"""The steps of the sink's cycle, by name: where a fault harness can cut it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """A moment in the life of a batch of rows.

    Fetch: a look for records; there may be none. Read-back: the sink looks which rows are stored. Insert: one INSERT,
    which fills both orders of the visits. Commit: offsets go to the group's coordinator, and its answer is there.
    """

    BEFORE_FETCH = "before_fetch"
    AFTER_FETCH = "after_fetch"
    BEFORE_READ_BACK = "before_read_back"
    AFTER_READ_BACK = "after_read_back"
    BEFORE_INSERT = "before_insert"
    AFTER_INSERT = "after_insert"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


AtStep = Callable[[Step], None]
"""Called at every step, once for a look, a batch or a commit and never for a single record; from any thread."""


def pass_by(_: Step) -> None:
    """Nothing happens at a step."""
