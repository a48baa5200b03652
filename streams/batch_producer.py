"""Produces whole batches to partitions of one topic, and counts what Kafka acknowledged of each partition."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from schemas.errors import FatalError
from streams.librdkafka import COPY, DELIVERY, ERROR, RECORD, library, new_producer

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


class BatchProducer:
    """An idempotent producer to the partitions of one topic.

    A partition's records are acknowledged in the order in which they were produced: they are numbered, and a broker
    takes none before all earlier ones. So a count tells which of them Kafka has. A record that was lost (its time-out
    passed, or it was refused) raises an error where it would have been counted.

    One thread calls `produce`, one thread the other methods.

    Args:
        config: librdkafka's settings.
        topic: where to.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, config: Mapping[str, str | int | float | bool], topic: str) -> None:
        self._lib = library()
        self._name = topic
        self._client = new_producer({**config, "enable.idempotence": True})
        self._topic = self._lib.topic_new(self._client, topic.encode(), None)
        self._queue = self._lib.queue_get_main(self._client)
        self._produced: defaultdict[int, int] = defaultdict(int)
        self._acknowledged: defaultdict[int, int] = defaultdict(int)

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
        rows["payload"] = _address(lines) + begins.astype(np.uint64)
        rows["key_len"] = length = len(records.keys[0])
        rows["key"] = _address(keys) + np.arange(count, dtype=np.uint64) * np.uint64(length)
        first, reached = rows.ctypes.data, {}
        for partition, part in records.counts.items():
            if self._lib.produce_batch(self._topic, partition, COPY, first, part) != part:
                raise FatalError(f"a record for {self._name} was refused: {self._text(int(rows['err'].min()))}")
            first += part * RECORD.itemsize
            self._produced[partition] += part
            reached[partition] = self._produced[partition]
        return reached

    def acknowledged(self, partition: int) -> int:
        """How many records of a partition Kafka has, counted from the first one produced."""
        return self._acknowledged[partition]

    def poll(self, timeout_ms: int) -> None:
        """Wait for a report, and take note of all that are there.

        Raises:
            FatalError: a record was lost, or the producer cannot go on.
        """
        event = self._lib.queue_poll(self._queue, timeout_ms)
        while event:
            try:
                self._note(event)
            finally:
                self._lib.event_destroy(event)
            event = self._lib.queue_poll(self._queue, 0)

    def close(self) -> None:
        """Let go of everything, acknowledged or not; harmless when called twice, and nothing else may be after it."""
        if not self._client:
            return
        self._lib.queue_destroy(self._queue)
        self._lib.topic_destroy(self._topic)
        self._lib.destroy(self._client)
        self._client = 0

    def _note(self, event: int) -> None:
        kind, error = self._lib.event_type(event), self._lib.event_error(event)
        if kind == DELIVERY:
            if error:
                raise FatalError(f"a record for {self._name} was lost: {self._text(error)}")
            count = self._lib.event_message_count(event)
            # A report is about records of one request to one partition.
            first = self._lib.event_message_next(event).contents
            self._acknowledged[first.partition] += count
        elif kind == ERROR and self._lib.event_error_is_fatal(event):
            reason = self._lib.event_error_string(event).decode()
            raise FatalError(f"the producer for {self._name} cannot go on: {reason}")

    def _text(self, error: int) -> str:
        text: bytes = self._lib.err2str(error)
        return text.decode()


def _address(data: bytes) -> np.uint64:
    """Where bytes lie; they stay there for as long as they live."""
    return np.uint64(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0)
