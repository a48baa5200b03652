"""The worker's one way out: an idempotent producer, and when everything of a batch has been acknowledged by Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from confluent_kafka import KafkaException, Producer

from schemas.dead_letter import DeadLetter
from schemas.kafka import ClientConfig, producer_config
from schemas.topics import MAX_RECORD_BYTES

_POLL_S: Final = 0.05
_QUEUE_MESSAGES: Final = 1_000_000
_LARGEST: Final = 4 * 1024 * 1024 + MAX_RECORD_BYTES

Kind = Literal["alert", "visit", "dead_letter"]
OnFatal = Callable[[str], None]
"""Called with what happened when an output was lost; must end the process without acknowledging anything."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record to be produced by itself, because it carries headers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def dead_letter_message(topic: str, letter: DeadLetter) -> Message:
    """A dead letter as it goes on its topic: key and value byte for byte, origin and reason as headers."""
    return Message(topic, letter.key, letter.value, letter.headers())


class Output:
    """Produces, and tells when what was produced is acknowledged by all in-sync replicas.

    Guarantee: a future returned by `submit` is resolved only when every one of its records was acknowledged. When one
    is lost, `on_fatal` is called and no future is resolved any more. Thread-safe.

    Args:
        cluster: where the brokers are.
        on_fatal: see `OnFatal`; called in this object's own thread.
    """

    def __init__(self, cluster: ClientConfig, on_fatal: OnFatal) -> None:
        self._on_fatal = on_fatal
        self._producer: Any = Producer(
            producer_config(
                cluster,
                linger_ms=2,
                message_max_bytes=_LARGEST,
                queue_buffering_max_messages=_QUEUE_MESSAGES,
            )
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="output", daemon=True)
        self._thread.start()

    def submit(self, first: Sequence[Message], topic: str, rest: Sequence[dict[str, Any]]) -> Future[None]:
        """Produce `first` one by one, then `rest` (keys `key` and `value`) to `topic`.

        Never waits: callers bound how much is under way.

        Returns:
            Resolved, in this object's thread, when all of it is acknowledged.
        """
        delivery = _Delivery(len(first) + len(rest), self._on_fatal)
        try:
            for message in first:
                self._producer.produce(
                    message.topic,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    on_delivery=delivery.report,
                )
            if rest:
                queued = self._producer.produce_batch(topic, rest, on_delivery=delivery.report)
                if queued != len(rest):
                    refused = next(entry["_error"] for entry in rest if "_error" in entry)
                    self._on_fatal(f"a record for {topic} was refused: {refused}")
        except (KafkaException, BufferError) as error:
            self._on_fatal(f"a record could not be produced: {error}")
        return delivery.future

    def close(self, timeout: float = 10) -> None:
        """Wait until everything is acknowledged (at most `timeout` seconds), then stop."""
        self._producer.flush(timeout)
        self._stopping.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)


class _Delivery:
    """Counts the delivery reports of one submission; all come in one thread."""

    __slots__ = ("_on_fatal", "_remaining", "future")

    def __init__(self, records: int, on_fatal: OnFatal) -> None:
        self.future: Future[None] = Future()
        self._remaining = records
        self._on_fatal = on_fatal
        if not records:
            self.future.set_result(None)

    def report(self, error: Any, message: Any) -> None:
        if error is not None:
            self._on_fatal(f"a record for {message.topic()} was lost: {error.str()}")
            return
        self._remaining -= 1
        if not self._remaining:
            self.future.set_result(None)
