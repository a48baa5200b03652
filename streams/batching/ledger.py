"""Which offsets of a partition may be committed: pure bookkeeping, without a broker or an event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


@dataclass(eq=False, slots=True)
class Ticket(Generic[P]):
    """One fetched batch: offsets `first` to `last` of a partition, and whether its effects are finished.

    Compared by identity: a batch that is fetched again after a rebalance is another batch.
    """

    partition: P
    first: int
    last: int
    done: bool = False


class OffsetLedger(Generic[P]):
    """Remembers fetched batches in the order of their offsets and says how far a partition is finished.

    Guarantee: `committable` never passes a batch that was fetched and is not finished, and never goes backwards while a
    partition is held. Offsets that hold no record (compacted away, or a transaction marker) need no care: batches
    follow each other in the order they were fetched, whatever lies between them.

    Not thread-safe: the owner calls it from one thread.
    """

    def __init__(self) -> None:
        self._open: dict[P, deque[Ticket[P]]] = {}
        self._next: dict[P, int] = {}

    def fetched(self, partition: P, first: int, last: int) -> Ticket[P]:
        """Take note of a batch that is about to be handed out.

        A batch that begins at or before the end of an earlier one means that the consumer was moved back: what was
        handed out from there on is forgotten, and its tickets count for nothing.

        Raises:
            ValueError: `last` lies before `first`.
        """
        if last < first:
            raise ValueError(f"a batch cannot end at {last} when it begins at {first}")
        tickets = self._open.setdefault(partition, deque())
        while tickets and first <= tickets[-1].first:
            tickets.pop()
        if tickets and first <= tickets[-1].last:
            tickets[-1].last = first - 1
        ticket = Ticket(partition, first, last)
        tickets.append(ticket)
        return ticket

    def done(self, ticket: Ticket[P]) -> None:
        """The effects of a batch are finished. May come in any order; harmless for a forgotten ticket."""
        ticket.done = True

    def committable(self, partition: P) -> int | None:
        """The next offset to read after the longest finished run of batches; null when nothing was finished yet."""
        tickets = self._open.get(partition)
        while tickets and tickets[0].done:
            self._next[partition] = max(tickets.popleft().last + 1, self._next.get(partition, 0))
        return self._next.get(partition)

    def partitions(self) -> tuple[P, ...]:
        """Partitions of which batches were handed out."""
        return tuple(self._open)

    def unfinished(self, partition: P) -> int:
        """Batches of a partition that were handed out and are not finished."""
        return sum(not ticket.done for ticket in self._open.get(partition, ()))

    def forget(self, partitions: Iterable[P]) -> None:
        """The partitions were revoked: their tickets count for nothing from here on."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._next.pop(partition, None)
