"""One fetched batch of one partition: what an agent gets instead of single events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, overload

from confluent_kafka import Message

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

    @classmethod
    def of_messages(cls, place: Place, messages: Sequence[Any], ticket: Ticket[Place]) -> Batch:
        """confluent-kafka messages, ascending, as columns; a message is asked only for what is needed of it."""
        first, last = ticket.first, ticket.last
        offsets = range(first, last + 1)
        return cls(
            place,
            list(map(_key_of, messages)),
            list(map(_value_of, messages)),
            offsets if len(offsets) == len(messages) else list(map(_offset_of, messages)),
            _Timestamps(messages),
            ticket,
        )

    def __len__(self) -> int:
        return len(self.offsets)


_key_of: Final[Callable[[Any], bytes | None]] = Message.key
_value_of: Final[Callable[[Any], bytes | None]] = Message.value
_offset_of: Final[Callable[[Any], Any]] = Message.offset


class _Timestamps(Sequence[int]):
    """Kafka's timestamps of messages, read when asked for: of most messages nobody does."""

    def __init__(self, messages: Sequence[Any]) -> None:
        self._messages = messages

    def __len__(self) -> int:
        return len(self._messages)

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...

    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        if isinstance(at, slice):
            return _Timestamps(self._messages[at])
        return int(self._messages[at].timestamp()[1])
