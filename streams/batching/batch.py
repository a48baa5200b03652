"""What was read at once, of one partition or several: what an agent gets instead of single events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any, Final, NamedTuple

from confluent_kafka import Message

from streams.batching.ledger import Ticket


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Stretch(NamedTuple):
    """The part of a batch that is of one partition: consecutive records.

    Attributes:
        begin, end: positions within the batch, the end exclusive.
        ticket: to be marked done in the ledger when the effects of these records are finished.
    """

    begin: int
    end: int
    ticket: Ticket[Place]

    @property
    def place(self) -> Place:
        """Where they lay."""
        return self.ticket.partition


@dataclass(eq=False, slots=True)
class Batch:
    """Records of partitions of one topic, those of a partition together, as columns of equal length.

    Attributes:
        topic: where they lay.
        stretches: one for each partition, in the order of the columns.
        keys, values: raw bytes, null where the record had none.
        offsets: ascending within a stretch; there may be holes.
        timestamps_ms: Kafka's timestamp of each record, epoch milliseconds: the clock that verdicts go by.
    """

    topic: str
    stretches: Sequence[Stretch]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]

    @classmethod
    def of_messages(cls, found: Sequence[Sequence[Any]], tickets: Sequence[Ticket[Place]]) -> Batch:
        """Of each partition confluent-kafka's messages, ascending; a message is asked only for what is needed."""
        ends = list(accumulate(map(len, found)))
        offsets = [_offsets(messages, ticket) for messages, ticket in zip(found, tickets, strict=True)]
        messages = list(chain.from_iterable(found))
        return cls(
            tickets[0].partition.topic,
            list(map(Stretch, [0, *ends], ends, tickets)),
            list(map(_key_of, messages)),
            list(map(_value_of, messages)),
            offsets[0] if len(offsets) == 1 else list(chain.from_iterable(offsets)),
            [kind_and_time[1] for kind_and_time in map(_timestamp_of, messages)],
        )

    def __len__(self) -> int:
        return len(self.offsets)


def _offsets(messages: Sequence[Any], ticket: Ticket[Place]) -> Sequence[int]:
    offsets = range(ticket.first, ticket.last + 1)
    return offsets if len(offsets) == len(messages) else list(map(_offset_of, messages))


_key_of: Final[Callable[[Any], bytes | None]] = Message.key
_value_of: Final[Callable[[Any], bytes | None]] = Message.value
_offset_of: Final[Callable[[Any], Any]] = Message.offset
_timestamp_of: Final[Callable[[Any], tuple[int, int]]] = Message.timestamp
