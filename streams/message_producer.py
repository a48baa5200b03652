"""Produces records that carry headers, many in one go, and counts what Kafka acknowledged by what they belong to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from ctypes import c_uint64
from itertools import accumulate, chain
from typing import Any, Final

import numpy as np

from schemas.errors import FatalError
from streams.librdkafka import ARGUMENT, COPY, PRIVATE_AT, Argument, address_of, library_with_lock
from streams.messages import Messages
from streams.reporting_producer import ReportingProducer

_LEADING: Final = (Argument.TOPIC, Argument.FLAGS, Argument.OPAQUE, Argument.KEY, Argument.VALUE)
_KEY_AND_VALUE: Final = slice(3, 5)
_HEADERS: Final = slice(5, None)


class MessageProducer(ReportingProducer):
    """An idempotent producer to any topics; the partition of a record goes by its key.

    Each record carries the number it was produced under to its report: what is acknowledged is counted exactly, from
    whatever partitions and in whatever order the reports come. A record that was lost (its time-out passed, or it was
    refused) raises an error where it would have been counted.

    Any thread may call `produce`, one thread the other methods.

    Args:
        config: librdkafka's settings.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, config: Mapping[str, str | int | float | bool]) -> None:
        super().__init__(config)
        self._locked = library_with_lock()
        self._producing = threading.Lock()
        self._acknowledged: Counter[int] = Counter()

    def produce(self, messages: Messages, number: int) -> None:
        """Take over records; never waits for a broker.

        Args:
            messages: some.
            number: what they are counted under.

        Raises:
            FatalError: a record was refused; others may have been taken.
        """
        with self._producing:
            topic = self._topic(messages.topic)
        # What the rows point at must live until all are produced.
        rows, _texts = _rows(messages, topic, number)
        produce, client, count = self._locked.produceva, self._client, rows.shape[1]
        first, size = rows.ctypes.data, rows.strides[0]
        for row in range(first, first + size * len(rows), size):
            if error := produce(client, row, count):
                raise FatalError(f"a record for {messages.topic} was refused: {self._described(error)}")

    def acknowledged(self) -> Counter[int]:
        """How many records Kafka has of each number, of those it has told about since the last call."""
        found, self._acknowledged = self._acknowledged, Counter()
        return found

    def _delivered(self, event: int, count: int) -> None:
        found = np.zeros(count, np.uint64)
        self._lib.event_message_array(event, found.ctypes.data, count)
        read = c_uint64.from_address
        self._acknowledged.update([read(record + PRIVATE_AT).value for record in found.tolist()])

    def _described(self, error: int) -> str:
        text: bytes = self._lib.error_string(error)
        self._lib.error_destroy(error)
        return text.decode()


def _rows(messages: Messages, topic: int, number: int) -> tuple[Any, tuple[bytes, bytes]]:
    """The arguments of each record, a row each, and the texts that they point into."""
    count = len(messages)
    columns: list[Sequence[bytes | None]] = [messages.keys, messages.values, *messages.headers.values()]
    if {count} != set(map(len, columns)):
        raise FatalError(f"the columns of what is for {messages.topic} differ in length")
    texts = list(chain.from_iterable(columns))
    absent = [at for at, text in enumerate(texts) if text is None] if None in texts else []
    known = [text or b"" for text in texts] if absent else texts
    joined = b"".join(known)  # type: ignore[arg-type]
    lengths = np.fromiter(map(len, known), np.uint64, len(known))  # type: ignore[arg-type]
    begins = address_of(joined) + np.cumsum(lengths) - lengths
    begins[absent] = 0
    begins, lengths = begins.reshape(-1, count).T, lengths.reshape(-1, count).T
    names = [name.encode() + b"\0" for name in messages.headers]
    spelled = b"".join(names)
    rows = np.zeros((count, len(_LEADING) + len(names)), ARGUMENT)
    rows["kind"] = (*_LEADING, *[Argument.HEADER] * len(names))
    rows["first"][:, : _KEY_AND_VALUE.start] = topic, COPY, number
    rows["first"][:, _KEY_AND_VALUE], rows["second"][:, _KEY_AND_VALUE] = begins[:, :2], lengths[:, :2]
    rows["first"][:, _HEADERS] = address_of(spelled) + np.array([0, *accumulate(map(len, names))][:-1], np.uint64)
    rows["second"][:, _HEADERS], rows["third"][:, _HEADERS] = begins[:, 2:], lengths[:, 2:]
    return rows, (joined, spelled)
