"""The steps of the worker's cycle, by name: where a fault harness can cut it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """A moment in the life of a batch of scans.

    Fetch: a look for the next batch of the thread that reads, and there is one. Produce: all of its outputs are handed
    to the producer. Acknowledge: Kafka has all of them, and the ledger is told. Commit: offsets go to the group's
    coordinator, and its answer is there.
    """

    BEFORE_FETCH = "before_fetch"
    AFTER_FETCH = "after_fetch"
    BEFORE_PRODUCE = "before_produce"
    AFTER_PRODUCE = "after_produce"
    BEFORE_ACKNOWLEDGE = "before_acknowledge"
    AFTER_ACKNOWLEDGE = "after_acknowledge"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


AtStep = Callable[[Step], None]
"""Called at every step, once for a look, a batch or a commit and never for a single record; from any thread."""


def pass_by(_: Step) -> None:
    """Nothing happens at a step."""
