"""The worker's one way out: idempotent producers, and when everything of a batch has been acknowledged by Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Final

from schemas.errors import FatalError
from schemas.kafka import ClientConfig, producer_config
from schemas.topics import MAX_RECORD_BYTES
from streams.batch_producer import BatchProducer, Records
from streams.message_producer import MessageProducer
from streams.messages import Messages

_POLL_MS: Final = 5
_IDLE_S: Final = 0.5
_QUEUE_MESSAGES: Final = 1_000_000
_LARGEST: Final = 4 * 1024 * 1024 + MAX_RECORD_BYTES

OnFatal = Callable[[str], None]
"""Called with what happened when an output was lost; must end the process without acknowledging anything."""


@dataclass(eq=False, slots=True)
class _Submission:
    """What was submitted together, under a number, and the counts that its records are waiting for."""

    number: int
    future: Future[None]
    counts: Mapping[int, int]


class Output:
    """Produces, and tells when what was produced is acknowledged by all in-sync replicas.

    Urgent messages, other messages, and records go three different ways, so that a red alert does not queue behind
    yellow ones, nor either behind visits.

    Guarantee: a future returned by `submit` is resolved only when all that was submitted with it was acknowledged. When
    anything is lost, `on_fatal` is called and no future is resolved any more.

    Args:
        cluster: where the brokers are.
        records_topic: where records go.
        on_fatal: see `OnFatal`; called in this object's own thread or in one that submits.
    """

    def __init__(self, cluster: ClientConfig, records_topic: str, on_fatal: OnFatal) -> None:
        self._on_fatal = on_fatal
        self._lost = False
        config = producer_config(
            cluster, linger_ms=2, message_max_bytes=_LARGEST, queue_buffering_max_messages=_QUEUE_MESSAGES
        )
        self._urgent = MessageProducer({**config, "linger.ms": 0})
        self._messages = MessageProducer(config)
        self._records = BatchProducer(config, records_topic)
        self._numbers = count(1)
        self._left: dict[int, int] = {}
        self._lock = threading.Condition()
        self._under_way: list[_Submission] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="output", daemon=True)
        self._thread.start()

    def submit(self, messages: Sequence[Messages], records: Records | None = None) -> Future[None]:
        """Produce messages, each to its topic, urgent ones first, and records.

        Never waits for the brokers: callers bound how much is under way. Any thread may submit messages, only one
        thread records.

        Returns:
            Resolved, in this object's thread, when all of it is acknowledged.
        """
        number, counts = next(self._numbers), dict[int, int]()
        # Before the first is produced: reports of it may come before the last is.
        self._left[number] = sum(map(len, messages))
        try:
            for urgent, producer in ((True, self._urgent), (False, self._messages)):
                for some in messages:
                    if some.urgent is urgent and len(some):
                        producer.produce(some, number)
            if records is not None:
                counts = self._records.produce(records)
        except FatalError as error:
            self._fail(f"a record could not be produced: {error}")
        submission = _Submission(number, Future(), counts)
        with self._lock:
            self._under_way.append(submission)
            self._lock.notify_all()
        return submission.future

    def close(self, timeout: float = 10) -> None:
        """Wait until everything is acknowledged (at most `timeout` seconds), then stop."""
        with self._lock:
            self._lock.wait_for(lambda: not self._under_way, timeout)
            self._stopping = True
            self._lock.notify_all()
        self._thread.join()
        for producer in (self._urgent, self._messages, self._records):
            producer.close()

    def _fail(self, what: str) -> None:
        self._lost = True
        self._on_fatal(what)

    def _serve(self) -> None:
        while not self._stopping:
            with self._lock:
                if not self._under_way:
                    self._lock.wait(_IDLE_S)
            try:
                self._records.poll(_POLL_MS if self._under_way else 0)
                for producer in (self._urgent, self._messages):
                    producer.poll(0)
                    for number, acknowledged in producer.acknowledged().items():
                        self._left[number] -= acknowledged
            except FatalError as error:
                self._fail(str(error))
            self._resolve()

    def _resolve(self) -> None:
        with self._lock:
            # After a loss nothing is resolved: what follows it may have been acknowledged all the same. A loss is noted
            # before what was lost counts as reported, so it is asked for last.
            done = [submission for submission in self._under_way if self._is_done(submission) and not self._lost]
            if not done:
                return
            self._under_way = [submission for submission in self._under_way if submission not in done]
            self._lock.notify_all()
        for submission in done:
            del self._left[submission.number]
            submission.future.set_result(None)

    def _is_done(self, submission: _Submission) -> bool:
        if self._left[submission.number]:
            return False
        acknowledged = self._records.acknowledged
        return all(acknowledged(partition) >= count for partition, count in submission.counts.items())
