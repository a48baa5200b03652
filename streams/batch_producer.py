"""Produces whole batches to partitions of one topic, and counts what Kafka acknowledged of each partition."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from schemas.errors import FatalError
from streams.librdkafka import IN_PLACE, RECORD, address_of
from streams.reporting_producer import ReportingProducer

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


class BatchProducer(ReportingProducer):
    """An idempotent producer to the partitions of one topic.

    A partition's records are acknowledged in the order in which they were produced: they are numbered, and a broker
    takes none before all earlier ones. So a count tells which of them Kafka has. A record that was lost (its time-out
    passed, or it was refused) raises an error where it would have been counted. Values are not copied: they are kept
    until all of a batch and of those before it are acknowledged.

    One thread calls `produce`, one thread the other methods.

    Args:
        config: librdkafka's settings.
        topic: where to.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, config: Mapping[str, str | int | float | bool], topic: str) -> None:
        super().__init__(config)
        self._name, self._records_topic = topic, self._topic(topic)
        self._produced: defaultdict[int, int] = defaultdict(int)
        self._acknowledged: defaultdict[int, int] = defaultdict(int)
        self._kept: deque[tuple[Mapping[int, int], bytes]] = deque()

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
        for partition, part in records.counts.items():
            self._produced[partition] += part
        reached = {partition: self._produced[partition] for partition in records.counts}
        # Before the first is produced: reports of it may come before the last is.
        self._kept.append((reached, lines))
        first = rows.ctypes.data
        for partition, part in records.counts.items():
            if self._lib.produce_batch(self._records_topic, partition, IN_PLACE, first, part) != part:
                raise FatalError(f"a record for {self._name} was refused: {self._text(int(rows['err'].min()))}")
            first += part * RECORD.itemsize
        return reached

    def acknowledged(self, partition: int) -> int:
        """How many records of a partition Kafka has, counted from the first one produced."""
        return self._acknowledged[partition]

    def acknowledged_of_all(self) -> int:
        """How many records of all partitions Kafka has."""
        return sum(self._acknowledged.values())

    def _delivered(self, event: int, count: int) -> None:
        first = self._lib.event_message_next(event).contents
        self._acknowledged[first.partition] += count
        while self._kept and all(self._acknowledged[of] >= reached for of, reached in self._kept[0][0].items()):
            self._kept.popleft()
