"""The sink's process: consume, batch, write, commit. Offsets move only after effects.

A batch is filled while the one before it is being written. Its offsets are committed when all of its rows are
acknowledged by ClickHouse or read back, and all of its dead letters by Kafka. Whatever is killed, the records after the
last commit are read again, and rows that are already there are found by their identity.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn, cast

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.brake import DeadLetterBrake
from schemas.errors import FatalError
from schemas.kafka import consumer_config
from sinks.clickhouse.batch import Batch
from sinks.clickhouse.config import SinkConfig
from sinks.clickhouse.dead_letters import DeadLetterWriter
from sinks.clickhouse.intake import Intake
from sinks.clickhouse.lag import Lag
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.pace import Pace
from sinks.clickhouse.routes import routes
from sinks.clickhouse.status_server import StatusServer
from sinks.clickhouse.steps import AtStep, Step, pass_by
from sinks.clickhouse.watchdog import Watchdog
from sinks.clickhouse.writer import StoppedError, Writer

_CONSUMED_AT_ONCE = 4_000
"""Reading by the column takes as long for few rows as for a hundred: 2.7 us a row with 500 of them, 1.4 with 4,000."""
_GC_ALLOCATIONS = 200_000
_POLL_SECONDS = 0.05
_HOLD_SECONDS = 2.0
"""A pause makes the client throw away what it has fetched ahead; a full batch waits so long before it comes to that."""
EXIT_STALLED = 70
"""Exit code of a sink that was stuck."""
_PASSING_ERRORS = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT}
_ENDS_MEMBERSHIP = {KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID}


def run_sink(config: SinkConfig, at_step: AtStep = pass_by) -> int:
    """Run until SIGTERM or SIGINT; then write and commit what was read, leave the group, and return 0.

    Args:
        config: everything a sink is told.
        at_step: see `sinks.clickhouse.steps.AtStep`.

    Raises:
        ConfigurationError: migrations are pending, the metrics port is taken, or ClickHouse or Kafka refuses us.
        FatalError: going on would lose records; nothing unacknowledged was committed.
    """
    stop = threading.Event()
    with _stop_on_signal(stop):
        Sink(config, at_step).run(stop)
    return 0


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Sink:
    """One consumer and one writer thread."""

    def __init__(self, config: SinkConfig, at_step: AtStep = pass_by) -> None:
        self._config = config
        self._at_step = at_step
        self._routes = routes(config.topics)
        self._metrics = SinkMetrics()
        self._give_up = threading.Event()
        self._dead_letters = DeadLetterWriter(
            config.cluster, config.topics.dead_letters, lambda: datetime.now(UTC), self._metrics
        )
        brakes = {topic: DeadLetterBrake(topic, config.bad_window, config.max_bad_share) for topic in self._routes}
        self._intake = Intake(self._dead_letters, self._metrics, brakes)
        self._writer = Writer(
            config.clickhouse, self._metrics, self._dead_letters, self._give_up, config.retry_seconds, at_step=at_step
        )
        membership = {} if config.instance_id is None else {"group_instance_id": config.instance_id}
        self._consumer = Consumer(
            consumer_config(
                config.cluster,
                config.group,
                queued_max_messages_kbytes=32 * 1024,
                queued_min_messages=20_000,
                # Rows wait for their batch anyway: few large answers cost the brokers less than many small ones.
                fetch_min_bytes=1024 * 1024,
                fetch_wait_max_ms=100,
                topic_metadata_refresh_interval_ms=5_000,
                session_timeout_ms=int(config.session_seconds * 1000),
                heartbeat_interval_ms=int(config.session_seconds * 250),
                **membership,
            )
            | {"on_commit": self._committed}
        )
        self._lag = Lag(self._consumer, self._metrics)
        self._watchdog = Watchdog(config.stall_seconds, partial(self._end_at_once, "sink_stalled"))
        self._generation = 0
        self._committing = -1
        self._joined = False
        self._closing = False
        self._paused = False
        self._pace = Pace(config.batch_rows, config.batch_bytes, config.batch_seconds)
        self._filling = Batch(0, 0.0)
        self._in_flight: deque[tuple[Batch, Future[None]]] = deque()
        self._log = structlog.get_logger("sink")

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set, or something fatal happens."""
        status = StatusServer(self._config.metrics_port, self._metrics.registry, self._waiting_for)
        threads = ThreadPoolExecutor(1, thread_name_prefix="writer")
        # What the imports left is never garbage: no collection looks at it again. And what a batch holds has no cycles:
        # looking for some after every 700 messages, the default, took a twenty-fifth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_ALLOCATIONS, 20, 20)
        try:
            if self._config.ready_file is not None:
                status.write_ready_file(self._config.ready_file)
            connecting = threads.submit(self._writer.connect)
            while not connecting.done() and not stop.is_set():
                wait([connecting], timeout=0.1)
            if connecting.done():
                connecting.result()
                self._watchdog.start()
                self._consume(threads, stop)
                self._watchdog.close()
                self._finish(threads)
        finally:
            self._watchdog.close()
            self._closing = True
            self._give_up.set()
            threads.shutdown(wait=True)
            self._consumer.close()
            self._writer.close()
            status.close()

    def _waiting_for(self) -> list[str]:
        standing = self._watchdog.standing_still()
        reasons = (
            (not self._joined, "partitions"),
            (not self._writer.is_up, "ClickHouse"),
            (standing is not None, f"progress: {standing}"),
        )
        return [what for is_so, what in reasons if is_so]

    def _end_at_once(self, event: str, why: str) -> NoReturn:
        """Commit nothing more: whoever supervises starts another."""
        self._log.critical(event, reason=f"{why}: giving up, to be restarted")
        os._exit(EXIT_STALLED)

    def _consume(self, threads: ThreadPoolExecutor, stop: threading.Event) -> None:
        self._consumer.subscribe(
            list(self._routes), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        while not stop.is_set():
            if not self._holds(time.monotonic()):
                self._at_step(Step.BEFORE_FETCH)
                wanted = min(_CONSUMED_AT_ONCE, self._pace.room(self._filling))
                self._take(self._consumer.consume(wanted, timeout=_POLL_SECONDS))
                self._at_step(Step.AFTER_FETCH)
            self._commit_finished()
            if not self._in_flight and self._pace.is_due(self._filling, time.monotonic()):
                self._hand_over(threads)
            self._lag.look(self._batches())
            # A commit that failed with its assignment is nothing to wait for: who has the partitions now repeats it.
            committing = self._committing == self._generation
            waiting = bool(self._in_flight or self._filling.next_offsets or committing)
            self._watchdog.turned(has_work=waiting and self._writer.is_up)

    def _take(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        if not self._filling.next_offsets:
            self._filling = Batch(self._generation, time.monotonic())
        errors = map(Message.error, messages)
        good = [message for message, error in zip(messages, errors, strict=True) if error is None]
        if len(good) < len(messages):
            self._raise_if_refused(messages)
        topics = cast("set[str]", set(map(Message.topic, good)))
        for topic in topics:
            of_topic = good if len(topics) == 1 else [message for message in good if message.topic() == topic]
            self._intake.take(self._filling, self._routes[topic], topic, of_topic)
        self._count_buffered()

    def _raise_if_refused(self, messages: Sequence[Message]) -> None:
        for error in filter(None, (message.error() for message in messages)):
            if error.code() in _ENDS_MEMBERSHIP:
                # Also when the coordinator was killed while a commit was under way: a restart joins anew.
                self._end_at_once(
                    "sink_fenced",
                    f"the group has this sink as a member no more ({error.str()}); where two sinks run under one "
                    "--instance-id, give each its own",
                )
            if error.code() not in _PASSING_ERRORS:
                raise FatalError(f"Kafka refuses the sink: {error.str()}")
            self._log.warning("kafka_error", error=error.str())

    def _holds(self, now: float) -> bool:
        """Whether to take nothing: the filling batch is full, and the one before it is still being written."""
        if self._paused or not self._in_flight or not self._pace.is_full(self._filling):
            return False
        if not self._filling.full_since:
            self._filling.full_since = now
        if now - self._filling.full_since < _HOLD_SECONDS:
            wait([self._in_flight[0][1]], timeout=_POLL_SECONDS)
            return True
        # From here on `consume` serves the group, and finds nothing.
        self._consumer.pause(self._consumer.assignment())
        self._paused = True
        return False

    def _hand_over(self, threads: ThreadPoolExecutor) -> None:
        self._in_flight.append((self._filling, threads.submit(self._writer.write, self._filling)))
        self._filling = Batch(self._generation, 0.0)
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False

    def _commit_finished(self, *, wait_for_brokers: bool = False) -> None:
        offsets: dict[tuple[str, int], int] = {}
        while self._in_flight and self._in_flight[0][1].done():
            batch, written = self._in_flight.popleft()
            written.result()
            self._metrics.batch_rows.observe(batch.rows)
            self._metrics.batch_seconds.observe(time.monotonic() - batch.opened_at)
            if batch.generation == self._generation:
                offsets.update(batch.next_offsets)
            self._count_buffered()
        if not offsets:
            return
        positions = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        self._at_step(Step.BEFORE_COMMIT)
        try:
            if wait_for_brokers:
                self._consumer.commit(offsets=positions, asynchronous=False)
            else:
                self._consumer.commit(offsets=positions, asynchronous=True)
                self._committing = self._generation
        except KafkaException as error:
            self._metrics.commit_failures.inc()
            self._log.warning("commit_failed", error=error.args[0].str())

    def _committed(self, error: KafkaError | None, _positions: object) -> None:
        if error is None:
            self._at_step(Step.AFTER_COMMIT)
            self._metrics.commits.inc()
            self._committing = -1
            self._watchdog.committed()
        else:
            self._metrics.commit_failures.inc()
            self._log.warning("commit_failed", error=error.str())

    def _finish(self, threads: ThreadPoolExecutor) -> None:
        """Write and commit what was read, as far as ClickHouse answers in time."""
        if self._filling.next_offsets:
            self._hand_over(threads)
        self._settle(self._config.stop_seconds)

    def _settle(self, seconds: float) -> None:
        """Wait for what is being written, and commit it."""
        wait([written for _, written in self._in_flight], timeout=seconds)
        try:
            self._commit_finished(wait_for_brokers=True)
        except StoppedError:
            self._log.warning("stopped_without_clickhouse", what="unacknowledged rows stay in Kafka")

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._generation += 1
        self._filling = Batch(self._generation, 0.0)
        self._paused = False
        self._joined = True
        self._metrics.partitions.set(len(partitions))
        self._log.info("partitions_assigned", count=len(partitions))

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._filling = Batch(self._generation, 0.0)
        if not self._closing:
            self._settle(self._config.batch_seconds + 5)
        self._lost(_consumer, _partitions)

    def _lost(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Somebody else may have them by now: what is still being written is not ours to commit."""
        self._generation += 1
        self._filling = Batch(self._generation, 0.0)
        self._metrics.partitions.set(0)
        self._lag.forget()
        self._count_buffered()

    def _batches(self) -> list[Batch]:
        """What is not acknowledged yet, oldest first."""
        return [*(batch for batch, _ in self._in_flight), self._filling]

    def _count_buffered(self) -> None:
        batches = self._batches()
        self._metrics.buffered_rows.set(sum(batch.rows for batch in batches))
        self._metrics.buffered_bytes.set(sum(batch.bytes for batch in batches))
