"""Writes batches to ClickHouse until they are acknowledged, or read back."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.errors import FatalError, RetryableError
from sinks.clickhouse.bad_rows import RowSifter
from sinks.clickhouse.batch import Batch, Erase, Rows
from sinks.clickhouse.dead_letters import DeadLetterWriter
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.migrate import require_migrated
from sinks.clickhouse.parts import Parts
from sinks.clickhouse.read_back import note_late, stored_rows
from sinks.clickhouse.routes import Erasure, Route
from sinks.clickhouse.server_errors import in_short, is_bad_row, raise_if_hopeless
from sinks.clickhouse.steps import AtStep, Step, pass_by
from sinks.clickhouse.target import ClickHouseTarget

INSERT_SETTINGS: Final[dict[str, int | str]] = {
    "async_insert": 0,
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": 1,
    "input_format_null_as_default": 1,
    # One block an insert, so that a batch becomes one part per day and order, not many.
    "max_insert_block_size": 4_000_000,
    "min_insert_block_size_rows": 4_000_000,
    "min_insert_block_size_bytes": 0,
    # Measured on 2 cores, CPU a row: 8.0 us as it comes; 5.9 parsing in one thread; 3.8 without collapsing duplicates
    # before the part is written as well, which FINAL and the next merge do anyway.
    "input_format_parallel_parsing": 0,
    "optimize_on_insert": 0,
    # A file of old scans may hold more than the default of 100 days in one batch.
    "max_partitions_per_insert_block": 0,
}
"""Of every insert of rows."""

_ERASED_AT_ONCE = 200
_PIECE_BYTES = 8 * 1024 * 1024


class StoppedError(Exception):
    """The sink is stopping and ClickHouse has not answered; nothing of the batch is acknowledged."""


class Writer:
    """Writes one batch after another; `write` runs in one thread only.

    Args:
        target: the server.
        metrics: what to count.
        dead_letters: for rows that only ClickHouse finds bad.
        stopping: set when no further attempt is to be made.
        retry_seconds: longest pause between two attempts.
        jitter: a number in [0, 1): spreads the attempts of many sinks.
        at_step: see `sinks.clickhouse.steps.AtStep`.
    """

    def __init__(
        self,
        target: ClickHouseTarget,
        metrics: SinkMetrics,
        dead_letters: DeadLetterWriter,
        stopping: threading.Event,
        retry_seconds: float,
        jitter: Callable[[], float] = random.random,
        at_step: AtStep = pass_by,
    ) -> None:
        self._target = target
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._stopping = stopping
        self._retry_seconds = retry_seconds
        self._jitter = jitter
        self._at_step = at_step
        self._client: Client | None = None
        self._up = threading.Event()
        self._parts = Parts(metrics)
        self._trusted: tuple[int, set[int]] = (-1, set())
        self._log = structlog.get_logger("sink")

    @property
    def is_up(self) -> bool:
        """Whether ClickHouse answered when it was last asked."""
        return self._up.is_set()

    def connect(self) -> None:
        """Wait for ClickHouse, and check that its tables are ours.

        Raises:
            ConfigurationError: migrations are pending, or ClickHouse does not let us in.
            StoppedError: the sink is stopping.
        """
        self._until_it_works(lambda: require_migrated(self._target))

    def write(self, batch: Batch) -> None:
        """Write a batch; returns when every row is acknowledged or found, and every dead letter has arrived.

        Raises:
            FatalError: going on would lose rows.
            StoppedError: the sink is stopping and ClickHouse is away.
        """
        for route, steps in batch.work.values():
            for step in steps:
                if isinstance(step, Rows):
                    self._insert(route, step, batch.generation)
                elif route.erasure is not None:
                    self._erase(route.erasure, step)
        self._dead_letters.flush()
        self._metrics.batches.inc()
        if self._client is not None:
            self._parts.look(self._client)

    def _insert(self, route: Route, rows: Rows, generation: int) -> None:
        sifter: RowSifter | None = None

        def attempt() -> None:
            nonlocal sifter
            if sifter is None:
                try:
                    self._insert_all(route, rows, generation)
                    return
                except ClickHouseError as error:
                    if not is_bad_row(error):
                        raise
                    sifter = RowSifter(route, rows, self._dead_letters)
            sifter.insert_good_rows(lambda data: self._send(route.table, [data]), is_bad_row)

        self._until_it_works(attempt)

    def _insert_all(self, route: Route, rows: Rows, generation: int) -> None:
        values = rows.values
        if route.has_identity and (doubted := self._doubted(rows, generation)):
            values = self._without_stored(rows, doubted)
        if not values:
            return
        written = len(values) * route.written_per_row + route.written_per_insert
        if len(values) == len(rows) and rows.has_all_blocks:
            self._send(route.table, rows.blocks, written, of_columns=True)
        else:
            self._send(route.table, values, written)
        self._metrics.rows.labels(route.kind).inc(len(values))

    def _doubted(self, rows: Rows, generation: int) -> set[int]:
        """Partitions of which somebody may have written rows before: under an older assignment, or in vain."""
        if self._trusted[0] != generation:
            self._trusted = (generation, set())
        return set(rows.partitions) - self._trusted[1]

    def _without_stored(self, rows: Rows, doubted: set[int]) -> list[bytes]:
        """The rows that are not stored yet, as values; partitions without any stored row are trusted from here on."""
        self._metrics.read_backs.inc()
        self._at_step(Step.BEFORE_READ_BACK)
        stored = stored_rows(self._connected(), rows, doubted)
        self._at_step(Step.AFTER_READ_BACK)
        found = sum(stored)
        self._metrics.rows_found.inc(found)
        still_doubted = {partition for partition, was_found in zip(rows.partitions, stored, strict=True) if was_found}
        self._trusted[1].update(doubted - still_doubted)
        if not found:
            return rows.values
        note_late(self._connected(), rows, stored)
        return [value for value, was_found in zip(rows.values, stored, strict=True) if not was_found]

    def _send(
        self, table: str, pieces: Sequence[bytes], expected: int | None = None, *, of_columns: bool = False
    ) -> None:
        """One insert, streamed: the driver neither copies the rows nor sends them a second time by itself.

        Raises:
            RetryableError: ClickHouse reports another number of rows than were sent.
        """
        self._at_step(Step.BEFORE_INSERT)
        started = time.monotonic()
        end = b"" if of_columns else b"\n"
        summary = self._connected().raw_insert(
            table,
            insert_block=_in_large_pieces(pieces, end),
            fmt="Native" if of_columns else "JSONEachRow",
            settings=INSERT_SETTINGS,
            # Told the length, neither side takes the body apart into chunks.
            transport_settings={"Content-Length": str(sum(map(len, pieces)) + len(pieces) * len(end))},
        )
        self._metrics.insert_seconds.observe(time.monotonic() - started)
        self._at_step(Step.AFTER_INSERT)
        if expected is not None and summary.written_rows != expected:
            raise RetryableError(f"{table}: ClickHouse reports {summary.written_rows} written rows, not {expected}")

    def _erase(self, erasure: Erasure, step: Erase) -> None:
        key = f"lower(hex({erasure.column}))" if erasure.binary else erasure.column
        for start in range(0, len(step.keys), _ERASED_AT_ONCE):
            keys = step.keys[start : start + _ERASED_AT_ONCE]
            self._until_it_works(
                lambda keys=keys: self._connected().command(  # type: ignore[misc]
                    f"DELETE FROM {erasure.table} WHERE {key} IN {{keys:Array(String)}}", parameters={"keys": keys}
                )
            )

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._target.client(timeout=120, connect_timeout=60, compress=False)
        return self._client

    def _until_it_works(self, attempt: Callable[[], object]) -> None:
        """Repeat with growing, jittered pauses; Kafka holds the backlog meanwhile."""
        pause, mismatches = 0.1, 0
        while True:
            try:
                attempt()
                self._up.set()
                self._metrics.clickhouse_up.set(1)
                return
            except (RetryableError, ClickHouseError, OSError) as error:
                self._trusted = (-1, set())
                raise_if_hopeless(error)
                reason = "count" if isinstance(error, RetryableError) and self._client is not None else "unavailable"
                mismatches += reason == "count"
                if mismatches > 5:
                    raise FatalError(f"{error}, time and again: nothing is committed") from error
                self._drop_client()
                self._up.clear()
                self._metrics.clickhouse_up.set(0)
                self._metrics.retries.labels(reason).inc()
                self._log.warning("clickhouse_retry", reason=reason, seconds=round(pause, 2), error=in_short(error))
            if self._stopping.wait(pause * (0.5 + self._jitter() / 2)):
                raise StoppedError
            pause = min(pause * 2, self._retry_seconds)

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def close(self) -> None:
        """Close the connection."""
        self._drop_client()


def _in_large_pieces(pieces: Sequence[bytes], end: bytes) -> Generator[bytes, None, None]:
    """The pieces, each with its end, in pieces of a few MiB.

    Each of these is sent with the interpreter's lock given up once; before the next, this thread waits for the one that
    decodes. 200 small pieces a batch cost more than the insert itself.
    """
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield end.join([*gathered, b""])
            gathered, size = [], 0
    if gathered:
        yield end.join([*gathered, b""])
