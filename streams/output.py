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

_POLL_S: Final = 0.001
_IDLE_S: Final = 0.5
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

    Only failed deliveries call back into Python (a call for each record costs a microsecond of every one): everything
    submitted is known to be acknowledged at a moment when the producer holds no record.

    Guarantee: a future returned by `submit` is resolved only when every one of its records was acknowledged. When one
    is lost, `on_fatal` is called and no future is resolved any more. Thread-safe.

    Args:
        cluster: where the brokers are.
        on_fatal: see `OnFatal`; called in this object's own thread.
    """

    def __init__(self, cluster: ClientConfig, on_fatal: OnFatal) -> None:
        self._on_fatal = on_fatal
        self._lost = False
        config: dict[str, Any] = {
            **producer_config(
                cluster,
                linger_ms=2,
                message_max_bytes=_LARGEST,
                queue_buffering_max_messages=_QUEUE_MESSAGES,
                delivery_report_only_error=True,
            ),
            "on_delivery": self._on_delivery,
        }
        self._producer: Any = Producer(config)
        self._lock = threading.Condition()
        self._under_way: list[Future[None]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="output", daemon=True)
        self._thread.start()

    def submit(self, first: Sequence[Message], topic: str, rest: Sequence[dict[str, Any]]) -> Future[None]:
        """Produce `first` one by one, then `rest` (keys `key` and `value`) to `topic`.

        Never waits for the brokers: callers bound how much is under way.

        Returns:
            Resolved, in this object's thread, when all of it is acknowledged.
        """
        future: Future[None] = Future()
        with self._lock:
            try:
                for message in first:
                    self._producer.produce(message.topic, key=message.key, value=message.value, headers=message.headers)
                if rest and self._producer.produce_batch(topic, rest) != len(rest):
                    refused = next(entry["_error"] for entry in rest if "_error" in entry)
                    self._fail(f"a record for {topic} was refused: {refused}")
            except (KafkaException, BufferError) as error:
                self._fail(f"a record could not be produced: {error}")
            self._under_way.append(future)
            self._lock.notify()
        return future

    def close(self, timeout: float = 10) -> None:
        """Wait until everything is acknowledged (at most `timeout` seconds), then stop."""
        self._producer.flush(timeout)
        with self._lock:
            self._stopping = True
            self._lock.notify()
        self._thread.join()

    def _on_delivery(self, error: Any, message: Any) -> None:
        if error is not None:
            self._fail(f"a record for {message.topic()} was lost: {error.str()}")

    def _fail(self, what: str) -> None:
        self._lost = True
        self._on_fatal(what)

    def _serve(self) -> None:
        while not self._stopping:
            with self._lock:
                if not self._under_way:
                    self._lock.wait(_IDLE_S)
            # Reports of failures come from here; with nothing failed it only waits.
            self._producer.poll(_POLL_S if self._under_way else 0)
            self._resolve()

    def _resolve(self) -> None:
        """Resolve what is under way when the producer holds nothing: then all of it was acknowledged."""
        with self._lock:
            # A failed record counts as held until its report was served, and after one nothing is resolved.
            if not self._under_way or len(self._producer) or self._lost:
                return
            done, self._under_way = self._under_way, []
        for future in done:
            future.set_result(None)
