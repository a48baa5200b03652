"""The worker's one way out: idempotent producers, and when everything of a batch has been acknowledged by Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from schemas.dead_letter import DeadLetter
from schemas.errors import FatalError
from schemas.kafka import ClientConfig, producer_config
from schemas.topics import MAX_RECORD_BYTES
from streams.batch_producer import BatchProducer, Records

_POLL_MS: Final = 5
_IDLE_S: Final = 0.5
_QUEUE_MESSAGES: Final = 1_000_000
_LARGEST: Final = 4 * 1024 * 1024 + MAX_RECORD_BYTES

OnFatal = Callable[[str], None]
"""Called with what happened when an output was lost; must end the process without acknowledging anything."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record to be produced by itself, because it carries headers.

    Attributes:
        appended_ms: of an alert, Kafka's timestamp of the scan that raised it, epoch milliseconds.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    appended_ms: int | None = None


def dead_letter_message(topic: str, letter: DeadLetter) -> Message:
    """A dead letter as it goes on its topic: key and value byte for byte, origin and reason as headers."""
    return Message(topic, letter.key, letter.value, letter.headers())


@dataclass(eq=False, slots=True)
class _Submission:
    """What was submitted together: messages not yet acknowledged, and the counts that its records are waiting for."""

    future: Future[None]
    messages: int
    counts: Mapping[int, int] = field(default_factory=dict)


class Output:
    """Produces, and tells when what was produced is acknowledged by all in-sync replicas.

    Messages and records go different ways, so that an alert does not queue behind visits.

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
        self._producer: Any = Producer(config)
        self._records = BatchProducer(config, records_topic)
        self._lock = threading.Condition()
        self._counting = threading.Lock()
        self._under_way: list[_Submission] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="output", daemon=True)
        self._thread.start()

    def submit(self, messages: Sequence[Message], records: Records | None = None) -> Future[None]:
        """Produce messages one by one, each to its topic, and records.

        Never waits for the brokers: callers bound how much is under way. Any thread may submit messages, only one
        thread records.

        Returns:
            Resolved, in this object's thread, when all of it is acknowledged.
        """
        submission = _Submission(Future(), len(messages))

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                self._fail(f"a record for {message.topic()} was lost: {error.str()}")
            with self._counting:
                submission.messages -= 1

        try:
            for message in messages:
                self._producer.produce(
                    message.topic,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    on_delivery=delivered,
                )
            if records is not None:
                submission.counts = self._records.produce(records)
        except (KafkaException, BufferError, FatalError) as error:
            self._fail(f"a record could not be produced: {error}")
        with self._lock:
            self._under_way.append(submission)
            self._lock.notify_all()
        if messages:
            # Reports wait for the interpreter's lock, one by one; this thread has it.
            self._producer.poll(0)
        return submission.future

    def close(self, timeout: float = 10) -> None:
        """Wait until everything is acknowledged (at most `timeout` seconds), then stop."""
        with self._lock:
            self._lock.wait_for(lambda: not self._under_way, timeout)
            self._stopping = True
            self._lock.notify_all()
        self._thread.join()
        self._records.close()

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
            except FatalError as error:
                self._fail(str(error))
            self._producer.poll(0)
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
            submission.future.set_result(None)

    def _is_done(self, submission: _Submission) -> bool:
        if submission.messages:
            return False
        acknowledged = self._records.acknowledged
        return all(acknowledged(partition) >= count for partition, count in submission.counts.items())
