"""One fetched batch of one partition: what an agent gets instead of single events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from streams.batching.ledger import Ticket


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(eq=False, slots=True)
class Batch:
    """Consecutive records of one partition, as columns of equal length.

    Attributes:
        place: where they lay.
        keys, values: raw bytes, null where the record had none.
        offsets: ascending; there may be holes.
        timestamps_ms: Kafka's timestamp of each record, epoch milliseconds.
        ticket: to be marked done in the ledger when the effects of the whole batch are finished.
    """

    place: Place
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    ticket: Ticket[Place]

    def __len__(self) -> int:
        return len(self.offsets)
