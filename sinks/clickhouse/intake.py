"""Takes consumed messages into a batch: checks every record, sets the bad ones aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from confluent_kafka import Message

from schemas.brake import DeadLetterBrake
from schemas.errors import RejectError
from schemas.fast import encode
from sinks.clickhouse.batch import Batch
from sinks.clickhouse.dead_letters import DeadLetterWriter
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.routes import Route


class Intake:
    """Args: `dead_letters`, where bad records go; `metrics`, what to count; `brakes`, by topic."""

    def __init__(
        self, dead_letters: DeadLetterWriter, metrics: SinkMetrics, brakes: Mapping[str, DeadLetterBrake]
    ) -> None:
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._brakes = brakes

    def take(self, batch: Batch, route: Route, topic: str, messages: Sequence[Message]) -> None:
        """Add messages of one topic to the batch.

        The good path looks at no row in Python: visits are read by the column, of other records the decoder checks a
        whole piece in one go, and the bytes pass on as they are. Only a piece with something bad in it is taken apart.

        Raises:
            FatalError: too much of the topic is bad; nothing of the batch may be committed.
        """
        values = list(map(Message.value, messages))
        partitions = cast("list[int]", list(map(Message.partition, messages)))
        offsets = cast("list[int]", list(map(Message.offset, messages)))
        # Offsets grow within a partition: the last one of each stays.
        for partition, offset in dict(zip(partitions, offsets, strict=True)).items():
            batch.next_offsets[topic, partition] = offset + 1
            if (topic, partition) not in batch.first:
                at = partitions.index(partition)
                batch.first[topic, partition] = (offsets[at], messages[at].timestamp()[1])
        self._metrics.records.labels(route.kind).inc(len(messages))
        if None not in values and self._take_all(batch, route, topic, cast("list[bytes]", values), partitions, offsets):
            self._brakes[topic].add(len(values), 0)
            return
        good = sum(
            self._take_one(batch, route, message, topic, partition, offset)
            for message, partition, offset in zip(messages, partitions, offsets, strict=True)
        )
        self._brakes[topic].add(len(values), len(values) - good)

    def _take_all(
        self, batch: Batch, route: Route, topic: str, values: list[bytes], partitions: list[int], offsets: list[int]
    ) -> bool:
        """Add all messages, or none: false when one of them may be bad."""
        block = route.block(values) if route.block is not None else None
        if block is None:
            records = route.decoder.decode_joined(b"\n".join(values), values)
            if records is None or not route.in_range(records):
                return False
        batch.rows_for(route, topic).add(values, partitions, offsets, block)
        batch.rows += len(values)
        batch.bytes += sum(map(len, values)) + len(block or b"")
        return True

    def _take_one(self, batch: Batch, route: Route, message: Message, topic: str, partition: int, offset: int) -> bool:
        """Add one message; false when it is a dead letter."""
        key, value = message.key(), message.value()
        if value is None and route.erasure is not None and key:
            batch.erase(route, topic, key.decode("utf-8", "replace"))
            batch.rows += 1
            return True
        try:
            record = route.decoder.decode(value)
            if not route.in_range([record]):
                raise RejectError("out_of_range", "a time outside the years that can be stored")
        except RejectError as error:
            self._dead_letters.send(key, value, topic, partition, offset, error.reason)
            return False
        # Encoded again: the value may hold line breaks, which separate rows.
        line = encode(record)
        batch.rows_for(route, topic).add([line], [partition], [offset])
        batch.rows += 1
        batch.bytes += len(line)
        return True
