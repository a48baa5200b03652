"""The one way records get onto a topic: an idempotent Kafka producer whose every delivery report is checked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.errors import ConfigurationError, FatalError, RejectError, RetryableError, VenuecodeError
from schemas.kafka import ClientConfig, producer_config

_SLICE: Final = 5_000
_QUEUE_MESSAGES: Final = 100_000
_TICK_S: Final = 0.25
_CREDENTIALS: Final = frozenset(
    (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._FATAL)
)


class Publisher:
    """Publishes records and knows whether they arrived.

    A context manager: entering connects and checks the credentials, leaving waits until everything is delivered. Once a
    delivery failed, every further call raises: what was lost must be published again by whoever knows what it was.

    Guarantee: when `flush` (or the `with` block) returns without an error, Kafka acknowledged every record published so
    far on all in-sync replicas, once. Records of one key keep their order. Not thread-safe: one publisher a thread.

    Args:
        cluster: where the brokers are and how to talk to them, as librdkafka's settings.
        connect_timeout: seconds to wait for a broker when entering.
        **overrides: librdkafka settings, `_` for `.`; by default a record that is not delivered within 60 s failed
            (`message_timeout_ms`), and at most 100,000 wait in memory (`queue_buffering_max_messages`).
    """

    def __init__(
        self, cluster: ClientConfig, *, connect_timeout: float = 10, **overrides: str | int | float | bool
    ) -> None:
        defaults: dict[str, str | int | float | bool] = {
            "message_timeout_ms": 60_000,
            "queue_buffering_max_messages": _QUEUE_MESSAGES,
        }
        self._config: dict[str, Any] = {
            **producer_config(cluster, **{**defaults, **overrides}),
            # Only the failed ones call back into Python; the rest are known by the queue having emptied.
            "delivery.report.only.error": True,
            "error_cb": self._on_error,
            "log_level": 2,  # connection errors come through the callback; librdkafka's own log repeats them endlessly
        }
        self._where = str(cluster.get("bootstrap.servers", "the configured brokers"))
        self._connect_timeout = connect_timeout
        self._capacity = int(self._config["queue.buffering.max.messages"])
        self._producer: Any = None
        self._failed: Counter[tuple[str, str]] = Counter()
        self._retriable = True
        self._connection_error: KafkaError | None = None
        self._accepted = 0

    @property
    def accepted(self) -> int:
        """Records taken over so far, delivered or not."""
        return self._accepted

    @property
    def delivered(self) -> int:
        """Records that Kafka has acknowledged, as far as this side has looked: never more than there are."""
        if self._producer is None:
            return self._accepted - self.failed
        return max(0, self._accepted - self.failed - len(self._producer))

    @property
    def failed(self) -> int:
        """Records that will never be delivered."""
        return sum(self._failed.values())

    def __enter__(self) -> Publisher:
        """Connect.

        Raises:
            ConfigurationError: a setting is wrong, or the brokers refuse the credentials.
            RetryableError: no broker answered within `connect_timeout`.
        """
        try:
            self._producer = Producer(self._config)
        except KafkaException as error:
            raise ConfigurationError(f"Kafka settings for {self._where}: {error.args[0].str()}") from error
        deadline = time.monotonic() + self._connect_timeout
        while True:
            try:
                self._producer.list_topics(timeout=min(1.0, self._connect_timeout))
                self._producer.poll(0)
                return self
            except KafkaException as error:
                self._producer.poll(0)
                try:
                    self._check()
                    if time.monotonic() >= deadline:
                        raise RetryableError(
                            f"no Kafka broker answered at {self._where} within {self._connect_timeout:g} s"
                            f" ({self._cause(error.args[0])}); is it running, are the address and the protocol right?"
                        ) from error
                except VenuecodeError:
                    self._producer = None
                    raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for what is still on its way; after an error in the block, for a few seconds and quietly."""
        try:
            if kind is None:
                self.flush()
            elif not self._failed:
                self._producer.flush(5)
        finally:
            self._producer.purge()
            self._producer.flush(1)
            self._producer = None

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> None:
        """Hand over one record; waits while the queue is full. A null value is a tombstone.

        Raises:
            RejectError: `too_large` for the cluster; nothing was published.
            RetryableError, FatalError: an earlier record could not be delivered.
        """
        while True:
            self._check()
            try:
                self._producer.produce(
                    topic, value=value, key=key, headers=headers and list(headers), on_delivery=self._on_delivery
                )
                break
            except BufferError:
                self._producer.poll(_TICK_S)
            except KafkaException as error:
                self._refused(topic, error.args[0], 1)
        self._accepted += 1
        self._producer.poll(0)

    def publish_batch(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> None:
        """Hand over many records, in order; several times faster than one by one. Waits while the queue is full.

        Raises:
            ValueError: not as many keys as values.
            RejectError: some records are `too_large` for the cluster; the others are on their way.
            RetryableError, FatalError: an earlier record could not be delivered.
        """
        if len(keys) != len(values):
            raise ValueError(f"{len(keys)} keys and {len(values)} values")
        size = max(1, min(_SLICE, self._capacity))
        for begin in range(0, len(keys), size):
            self._publish_slice(topic, keys[begin : begin + size], values[begin : begin + size])

    def _publish_slice(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> None:
        # Room for all of it first: a batch that meets a full queue goes on with later records once there is room
        # again, and a person's scans would change places.
        while self._check() or len(self._producer) + len(keys) > self._capacity:
            self._producer.poll(_TICK_S / 10)
        messages: list[dict[str, Any]] = [{"key": key, "value": value} for key, value in zip(keys, values, strict=True)]
        taken = self._producer.produce_batch(topic, messages, on_delivery=self._on_delivery)
        self._accepted += taken
        self._producer.poll(0)
        if taken == len(messages):
            return
        refused: Counter[int] = Counter()
        for message in messages:
            problem = message.get("_error")
            if problem is None:
                continue
            if problem.code() == KafkaError._QUEUE_FULL:  # full by bytes rather than by number
                self.publish(topic, message["key"], message["value"])
            else:
                refused[problem.code()] += 1
        for code, count in refused.items():
            self._refused(topic, KafkaError(code), count)

    def poll(self) -> None:
        """Look at delivery reports without waiting.

        Raises:
            RetryableError, FatalError: a record could not be delivered.
        """
        self._producer.poll(0)
        self._check()

    def flush(self, timeout: float = 90) -> None:
        """Wait until everything published so far is delivered.

        Args:
            timeout: seconds; longer than `message_timeout_ms`, so that the reason of a failure is known before.

        Raises:
            RetryableError: not all was delivered in time, or the brokers could not be reached.
            FatalError: the brokers refused records or credentials.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = self._producer.flush(max(0.0, min(_TICK_S, deadline - time.monotonic())))
            self._check()
            if left == 0:
                return
            if time.monotonic() >= deadline:
                cause = f" ({self._connection_error.str()})" if self._connection_error else ""
                raise RetryableError(f"{_records(left)} not delivered to {self._where} after {timeout:g} s{cause}")

    def _on_delivery(self, problem: KafkaError | None, message: Any) -> None:
        if problem is None:
            return
        self._failed[(message.topic(), problem.str())] += 1
        timed_out = problem.code() in (KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT, KafkaError._TRANSPORT)
        self._retriable = self._retriable and (timed_out or problem.retriable())

    def _on_error(self, problem: KafkaError) -> None:
        if self._connection_error is None or self._connection_error.code() not in _CREDENTIALS:
            self._connection_error = problem

    def _check(self) -> bool:
        """Raise what went wrong so far; else False.

        Raises:
            RetryableError, FatalError: see `flush`.
        """
        problem = self._connection_error
        if problem is not None and problem.code() in _CREDENTIALS:
            raise ConfigurationError(
                f"the Kafka brokers at {self._where} refuse this client: {problem.str()};"
                " check the security protocol, the mechanism, the user name and the password"
            )
        if self._failed:
            lost = "; ".join(f"{_records(count)} to {topic}: {why}" for (topic, why), count in self._failed.items())
            text = f"not delivered: {lost}{self._hint()}"
            raise RetryableError(text) if self._retriable else FatalError(text)
        return False

    def _hint(self) -> str:
        if self._connection_error is None:
            return ""
        return f" (last connection error: {self._connection_error.str()})"

    def _cause(self, problem: KafkaError) -> str:
        return self._connection_error.str() if self._connection_error else problem.str()

    def _refused(self, topic: str, problem: KafkaError, count: int) -> None:
        if problem.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise RejectError("too_large", f"{_records(count)} for {topic}: more bytes than the cluster takes")
        raise FatalError(f"refused: {_records(count)} for {topic}: {problem.str()}")


def _records(count: int) -> str:
    return f"{count} record{'s' * (count != 1)}"
