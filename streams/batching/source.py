"""The data plane: reads given partitions through librdkafka in a thread of its own, batch by batch.

Faust's aiokafka consumer stays the member of the group: it says which partitions are owned and commits. It fetches
nothing itself: its records cost 1.3 to 1.6 microseconds each of the interpreter's time, these 0.5 (docs/upstream.md).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.kafka import ClientConfig, consumer_config
from streams.batching.batch import Place

_ROWS_A_CALL: Final = 500
_WAIT_S: Final = 0.02
_LULL_S: Final = 0.005
_FILL_S: Final = 0.025
_LONG_FILL_S: Final = 0.08
_LOAD_ROWS: Final = 32
"""Records within `_LULL_S` from which on there is load."""
_RUSH_ROWS: Final = 1250
"""Records within `_FILL_S` from which on a larger batch is worth another moment: 50,000 a second."""
_TAKE_S: Final = 0.2
_TIMEOUT_S: Final = 10.0
_BATCHES: Final = 8
_KBYTES: Final = 8_192
_FETCH_BYTES: Final = 64 * 1024
"""What a broker waits for, `_FETCH_MS` at most, before it answers: an answer for every small batch costs both sides."""
_FETCH_MS: Final = 10

_error_of: Final[Callable[[Any], Any]] = Message.error
_partition_of: Final[Callable[[Any], Any]] = Message.partition


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was read at once, and the number of the move it was read after.

    Attributes:
        found: of each partition its messages, ascending offsets.
    """

    move: int
    found: Sequence[Sequence[Any]]


class RecordSource:
    """Reads partitions from given offsets on, and hands over what comes, in order within a partition.

    `move_to` and `take` belong to the event loop. Never holds more than a few batches and 8 MiB: when nobody takes
    them, it stops reading.

    Args:
        cluster: where the brokers are.
        group: names the client; it neither joins the group nor commits.
        rows: most records in one batch.
        is_open: whether a partition may be read yet; asked again and again until it may.
        on_fatal: called, in the thread, when reading has ended for good.
    """

    def __init__(
        self,
        cluster: ClientConfig,
        group: str,
        rows: int,
        is_open: Callable[[Place], bool],
        on_fatal: Callable[[str], None],
    ) -> None:
        self._rows, self._is_open, self._on_fatal = rows, is_open, on_fatal
        self._consumer: Any = Consumer(
            consumer_config(
                cluster,
                group,
                enable_partition_eof=True,
                queued_max_messages_kbytes=_KBYTES,
                fetch_min_bytes=_FETCH_BYTES,
                fetch_wait_max_ms=_FETCH_MS,
            )
        )
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._batches: queue.Queue[Fetched] = queue.Queue(_BATCHES)
        self._wanted: tuple[int, Mapping[Place, int]] = (0, {})
        self._move = 0
        self._closed: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._thread.start()

    @property
    def move(self) -> int:
        """The number of the latest move; what was read after an earlier one is to be thrown away."""
        return self._wanted[0]

    def move_to(self, offsets: Mapping[Place, int]) -> None:
        """Read exactly these partitions from now on, each from its offset."""
        self._ends = {}
        self._wanted = (self._wanted[0] + 1, dict(offsets))

    async def take(self) -> Fetched | None:
        """The next batch, or null when none came within a moment."""
        self._filled.clear()
        if self._batches.empty():
            try:
                async with asyncio.timeout(_TAKE_S):
                    await self._filled.wait()
            except TimeoutError:
                return None
        try:
            return self._batches.get_nowait()
        except queue.Empty:
            return None

    def end_seen(self, place: Place) -> int:
        """The end offset at which there was nothing more to read, -1 before that."""
        return self._ends.get(place, -1)

    def close(self) -> None:
        """Stop reading, and wait until the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._follow()
                self._open()
                self._read()
        except Exception as error:
            self._on_fatal(f"reading failed: {error}")
        finally:
            self._consumer.close()

    def _follow(self) -> None:
        move, offsets = self._wanted
        if move != self._move:
            self._consumer.unassign()
            self._move, self._closed = move, dict(offsets)

    def _open(self) -> None:
        opened = [TopicPartition(*place, offset) for place, offset in self._closed.items() if self._is_open(place)]
        if not opened:
            return
        try:
            for partition in opened:
                # Makes the partition's leader known: else librdkafka waits half a second to a second.
                self._consumer.get_watermark_offsets(partition, timeout=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].retriable() or error.args[0].code() == KafkaError._TIMED_OUT:
                return  # asked again in the next round
            raise
        self._consumer.incremental_assign(opened)
        for partition in opened:
            del self._closed[Place(partition.topic, partition.partition)]

    def _read(self) -> None:
        """Hand over what comes within a moment of a first record: a short moment in a lull, longer ones under load.

        What a batch costs by itself is more than what a hundred records do, and what is there at once is, under load
        from many partitions, a record or two of each.
        """
        messages = self._consumer.consume(1, _WAIT_S)
        if not messages:
            return
        began = time.monotonic()
        self._fill(messages, began + _LULL_S)
        if len(messages) >= _LOAD_ROWS:
            self._fill(messages, began + _FILL_S)
        if len(messages) >= _RUSH_ROWS:
            self._fill(messages, began + _LONG_FILL_S)
        if any(map(_error_of, messages)):
            messages = [message for message in messages if self._is_record(message)]
        if messages:
            self._hand_over(Fetched(self._move, _by_partition(messages)))

    def _fill(self, messages: list[Any], until: float) -> None:
        while len(messages) < self._rows and (left := until - time.monotonic()) > 0:
            messages += self._consumer.consume(min(_ROWS_A_CALL, self._rows - len(messages)), left)

    def _is_record(self, message: Any) -> bool:
        """Whether it is one; else it says that a partition has nothing more for now, or that something is wrong."""
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            self._ends[Place(message.topic(), message.partition())] = message.offset()
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
        return False

    def _hand_over(self, fetched: Fetched) -> None:
        while not self._stopping.is_set() and fetched.move == self._wanted[0]:
            try:
                self._batches.put(fetched, timeout=_WAIT_S)
            except queue.Full:
                continue
            self._loop.call_soon_threadsafe(self._filled.set)
            return


def _by_partition(messages: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Messages of one topic, those of each partition together, in their order."""
    partitions = list(map(_partition_of, messages))
    if len(set(partitions)) == 1:
        return [messages]
    found: dict[int, list[Any]] = {}
    for partition, message in zip(partitions, messages, strict=True):
        found.setdefault(partition, []).append(message)
    return list(found.values())
