"""Follows a compacted topic from its beginning: first up to its end, then live. A thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import FatalError, RetryableError
from schemas.kafka import ClientConfig, consumer_config

_ROWS: Final = 8000
_PARTITION: Final[Callable[[Any], Any]] = Message.partition
_ERROR: Final[Callable[[Any], Any]] = Message.error
_NO_ERRORS: Final = {type(None)}
_WAIT_S: Final = 0.05
_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 900.0
_BUFFERS: Final = {"fetch_message_max_bytes": 256 * 1024, "queued_max_messages_kbytes": 16 * 1024}
"""A quarter of the memory of librdkafka's defaults, and hardly slower (docs/decisions/0009)."""

_SOON: Final = frozenset(
    (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._WAIT_COORD,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError._TIMED_OUT,
    )
)

Records = list[Any]
"""confluent-kafka messages of one partition, in the order of their offsets."""


@dataclass(slots=True)
class _Wait:
    """A partition that was given at `since` (monotonic seconds) and is not caught up; `left` records, null: unknown."""

    since: float
    left: int | None = None


class TopicFollower:
    """Reads partitions of a compacted topic, given by number, without being a member of any group.

    `apply(partition, records, reported)` is called for records in order; `reported` is the offset up to which an
    earlier reader has reported what was bad (`mark_reported`), so that reading from the beginning again does not report
    it again. `caught_up(partition, next_offset)` is called every time the end of a partition is reached, first of all
    the end that it had when it was given. `opened(partition, low, high)` is called before the first record of a
    partition and answers where to begin (null: at the beginning, which is `low`; `high` is the present end), `dropped`
    after its last, and `between` again and again. All run in this object's thread; an exception in one goes to
    `on_fatal`.

    Args:
        cluster: where the brokers are.
        group: only remembers what was reported, as its committed offsets.
        topic: the compacted topic.
        patience_s: a partition that is not caught up so long after it was given is fatal.
    """

    def __init__(
        self,
        cluster: ClientConfig,
        group: str,
        topic: str,
        *,
        apply: Callable[[int, Records, int], None],
        caught_up: Callable[[int, int], None],
        opened: Callable[[int, int, int], int | None],
        dropped: Callable[[int], None],
        on_fatal: Callable[[str], None],
        between: Callable[[], None] = lambda: None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._topic, self._patience_s = topic, patience_s
        self._apply, self._caught_up, self._opened, self._dropped = apply, caught_up, opened, dropped
        self._on_fatal, self._between = on_fatal, between
        self._consumer: Any = Consumer(consumer_config(cluster, group, enable_partition_eof=True, **_BUFFERS))
        self._lock = threading.Lock()
        self._wanted: frozenset[int] = frozenset()
        self._held: set[int] = set()
        self._waits: dict[int, _Wait] = {}
        self._ends: dict[int, int] = {}
        self._reported: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow {topic}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait until the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def follow(self, partitions: Collection[int]) -> None:
        """Hold exactly these partitions from now on; takes effect soon. May be called from any thread.

        When it returns, a partition given now is not being dropped for an earlier call any more.
        """
        with self._lock:
            self._wanted = frozenset(partitions)
            self._waits = {
                number: self._waits.get(number) or _Wait(time.monotonic())
                for number in self._wanted
                if number in self._waits or number not in self._held
            }

    def behind(self) -> dict[int, int | None]:
        """The partitions not caught up yet since they were given, and how many records each has still to read.

        At most so many: offsets of records that were compacted away count as well. Null before it is known. May be
        called from any thread.
        """
        with self._lock:
            return {number: wait.left for number, wait in self._waits.items()}

    def end_of(self, partition: int) -> int:
        """The offset after the last record of a partition, asked of its leader. To be called from within a callback.

        Raises:
            RetryableError: it did not answer.
        """
        try:
            end: int = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_TIMEOUT_S)[
                1
            ]
        except KafkaException as error:
            raise RetryableError(f"the end of {self._topic} partition {partition} is not known: {error}") from error
        return end

    def mark_reported(self, partition: int, next_offset: int) -> None:
        """Everything bad before `next_offset` was reported, lastingly. To be called from within `apply`.

        Raises:
            KafkaException: the brokers did not take it.
        """
        self._reported[partition] = next_offset
        self._consumer.commit(offsets=[TopicPartition(self._topic, partition, next_offset)], asynchronous=False)

    def begin_again(self, partition: int) -> None:
        """Drop a partition, and open it again as if it had just been given. To be called from within `apply`."""
        with self._lock:
            self._let_go({partition})

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._leave()
                self._join()
                self._read()
                self._between()
                self._check_patience()
        except Exception as error:
            self._on_fatal(f"following {self._topic} failed: {error}")
        finally:
            self._consumer.close()

    def _leave(self) -> None:
        with self._lock:
            leaving = self._held - self._wanted
            if leaving:
                self._let_go(leaving)

    def _let_go(self, partitions: Collection[int]) -> None:
        self._consumer.incremental_unassign([TopicPartition(self._topic, number) for number in partitions])
        self._held.difference_update(partitions)
        for number in partitions:
            self._dropped(number)

    def _join(self) -> None:
        coming = self._wanted - self._held
        if not coming:
            return
        places = [TopicPartition(self._topic, number) for number in coming]
        try:
            committed = self._consumer.committed(places, timeout=_TIMEOUT_S)
            # Asking first makes the partition's leader known: else librdkafka waits half a second to a second.
            limits = [self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S) for place in places]
        except KafkaException as error:
            if error.args[0].code() in _SOON:
                return  # a fresh cluster has no coordinators and leaders for a moment: the next round asks again
            raise
        for found in committed:
            self._reported[found.partition] = max(found.offset, 0)
        for place, (low, high) in zip(places, limits, strict=True):
            start = self._opened(place.partition, low, high)
            place.offset = low if start is None else start
            self._ends[place.partition] = high
            self._note_progress(place.partition, place.offset)
        self._consumer.incremental_assign(places)
        self._held |= coming

    def _read(self) -> None:
        ended: list[tuple[int, int]] = []
        for partition, group in groupby(self._consumer.consume(_ROWS, _WAIT_S), _PARTITION):
            messages: Records = list(group)
            errors = list(map(_ERROR, messages))
            found = messages
            # By type: a KafkaError compared with None raises later, elsewhere (docs/upstream.md).
            if set(map(type, errors)) != _NO_ERRORS:
                found = [message for message, error in zip(messages, errors, strict=True) if error is None]
                for message, error in zip(messages, errors, strict=True):
                    if error is None:
                        continue
                    if error.code() == KafkaError._PARTITION_EOF:
                        ended.append((partition, message.offset()))
                    elif error.fatal() or not error.retriable():
                        raise KafkaException(error)
            if found and partition in self._held:
                self._apply(partition, found, self._reported[partition])
                self._note_progress(partition, found[-1].offset() + 1)
        for partition, next_offset in ended:
            if partition in self._held:
                self._caught_up(partition, next_offset)
                with self._lock:
                    self._waits.pop(partition, None)

    def _note_progress(self, partition: int, next_offset: int) -> None:
        wait = self._waits.get(partition)
        if wait is not None:
            wait.left = max(0, self._ends[partition] - next_offset)

    def _check_patience(self) -> None:
        now = time.monotonic()
        for partition, wait in list(self._waits.items()):
            if now - wait.since > self._patience_s:
                left = "nobody answered how many" if wait.left is None else f"at most {wait.left:,}"
                raise FatalError(
                    f"partition {partition} was not read to its end within {self._patience_s:g} s ({left} records are "
                    "left): nothing is decided without it. Give it longer (VENUECODE_WORKER__STATUS_WAIT_S), or start "
                    "more workers to share the partitions"
                )
