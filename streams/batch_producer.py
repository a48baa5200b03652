"""Produces whole batches to partitions of one topic, and counts what Kafka acknowledged of each partition."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from schemas.errors import FatalError
from streams.librdkafka import IN_PLACE, RECORD, address_of
from streams.reporting_producer import ReportingProducer

REQUEST_BYTES: Final = 4_000_000
"""Most bytes of records in one request: less than a topic takes even where they are not to be compressed."""
_OVERHEAD_BYTES: Final = 80
"""More than a record takes beside its key and its value, and as much of what its request begins with."""
_LINE_BREAK: Final = ord("\n")


@dataclass(frozen=True, slots=True)
class Records:
    """Records for some partitions, those for a partition together.

    Attributes:
        counts: how many records are for each partition, in their order.
        keys: one a record, all of one length.
        lines: the values, each followed by a line break that is not part of it, and holding none.
    """

    counts: Mapping[int, int]
    keys: Sequence[bytes] = field(repr=False)
    lines: bytes = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)


class _Piece(NamedTuple):
    """Records of one partition that fit into one request.

    Attributes:
        rows: what librdkafka is told, one a record.
        size: bytes they take in a request, at most.
        texts: what the rows point into.
    """

    rows: Any
    size: int
    texts: tuple[bytes, bytes]


class BatchProducer(ReportingProducer):
    """An idempotent producer to the partitions of one topic.

    A partition's records are acknowledged in the order in which they were produced: they are numbered, and a broker
    takes none before all earlier ones. So a count tells which of them Kafka has. A record that was lost (its time-out
    passed, or it was refused) raises an error where it would have been counted.

    librdkafka is given a partition's records only when it has no others of it: it sends no more than one request of a
    partition at a time, and while others wait, whole ones, its thread asks a hundred thousand times a second whether it
    may (docs/upstream.md). Values are not copied: they are kept until they are acknowledged.

    One thread calls `produce`, one thread the other methods.

    Args:
        config: librdkafka's settings.
        topic: where to.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, config: Mapping[str, str | int | float | bool], topic: str) -> None:
        super().__init__({**config, "batch.size": REQUEST_BYTES})
        self._name, self._records_topic = topic, self._topic(topic)
        self._taken: defaultdict[int, int] = defaultdict(int)
        self._acknowledged: defaultdict[int, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._waiting: defaultdict[int, deque[_Piece]] = defaultdict(deque)
        self._under_way: dict[int, tuple[int, list[_Piece]]] = {}

    def produce(self, records: Records) -> dict[int, int]:
        """Take over records; never waits for a broker.

        Returns:
            By partition, the count that `acknowledged` of it reaches when Kafka has all of them.

        Raises:
            FatalError: a record was refused; others may have been taken.
        """
        count = len(records)
        if not count:
            return {}
        keys, lines = b"".join(records.keys), records.lines
        ends = (np.frombuffer(lines, np.uint8) == _LINE_BREAK).nonzero()[0]
        if len(ends) != count or sum(records.counts.values()) != count:
            raise FatalError(f"{len(ends)} values for {count} keys of {self._name}")
        begins = np.concatenate(([0], ends[:-1] + 1))
        rows = np.zeros(count, RECORD)
        rows["len"] = ends - begins
        rows["payload"] = address_of(lines) + begins.astype(np.uint64)
        rows["key_len"] = length = len(records.keys[0])
        rows["key"] = address_of(keys) + np.arange(count, dtype=np.uint64) * np.uint64(length)
        reached, first = {}, 0
        with self._lock:
            for partition, part in records.counts.items():
                self._waiting[partition].extend(_pieces(rows[first : first + part], (keys, lines)))
                first += part
                self._taken[partition] += part
                reached[partition] = self._taken[partition]
                self._send(partition)
        return reached

    def acknowledged(self, partition: int) -> int:
        """How many records of a partition Kafka has, counted from the first one produced."""
        return self._acknowledged[partition]

    def acknowledged_of_all(self) -> int:
        """How many records of all partitions Kafka has."""
        return sum(self._acknowledged.values())

    def _delivered(self, event: int, count: int) -> None:
        partition = self._lib.event_message_next(event).contents.partition
        with self._lock:
            self._acknowledged[partition] += count
            if self._acknowledged[partition] >= self._under_way[partition][0]:
                del self._under_way[partition]
                self._send(partition)

    def _send(self, partition: int) -> None:
        """Give librdkafka a partition's next records, if there are any, and none before them are under way."""
        waiting = self._waiting[partition]
        if partition in self._under_way or not waiting:
            return
        pieces: list[_Piece] = []
        size = 0
        while waiting and (not pieces or size + waiting[0].size <= REQUEST_BYTES):
            pieces.append(waiting.popleft())
            size += pieces[-1].size
        self._under_way[partition] = self._acknowledged[partition] + sum(len(piece.rows) for piece in pieces), pieces
        for rows, _, _ in pieces:
            sent = self._lib.produce_batch(self._records_topic, partition, IN_PLACE, rows.ctypes.data, len(rows))
            if sent != len(rows):
                raise FatalError(f"a record for {self._name} was refused: {self._text(int(rows['err'].min()))}")


def _pieces(rows: Any, texts: tuple[bytes, bytes]) -> Iterator[_Piece]:
    """Rows of one partition, so many together as go in one request."""
    ends = np.cumsum(rows["len"] + rows["key_len"] + np.uint64(_OVERHEAD_BYTES))
    first = before = 0
    while first < len(rows):
        past = max(first + 1, int(np.searchsorted(ends, before + REQUEST_BYTES, side="right")))
        yield _Piece(rows[first:past], int(ends[past - 1]) - before, texts)
        first, before = past, int(ends[past - 1])
