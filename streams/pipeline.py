"""A batch of scans on its way: taken in, decided, produced, and its ticket marked done once Kafka has all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.alert import Alert
from schemas.base import format_timestamp
from schemas.dead_letter import DeadLetter
from schemas.errors import FatalError
from schemas.fast import encode, encode_batch
from schemas.topics import Topics
from streams.alert_memory import AlertMemory
from streams.batching.batch import Batch, Place
from streams.batching.ledger import OffsetLedger
from streams.brake import DeadLetterBrake
from streams.decide import Policy, decide
from streams.intake import Limits, take_in
from streams.metrics import WorkerMetrics
from streams.output import Message, Output, dead_letter_message
from streams.status_store import StatusStore
from streams.steps import AtStep, Step, pass_by
from streams.venue_directory import VenueDirectory

APPENDED_AT = "scan_appended_at"
"""Header of an alert: Kafka's timestamp of the scan that raised it, epoch milliseconds in decimal digits."""


@dataclass(frozen=True, slots=True)
class Decider:
    """All that deciding a batch depends on."""

    topics: Topics
    limits: Limits
    policy: Policy
    venues: VenueDirectory
    statuses: StatusStore
    memory: AlertMemory
    brake: DeadLetterBrake
    metrics: WorkerMetrics

    def process(self, batch: Batch, now: datetime) -> tuple[list[Message], list[dict[str, Any]]]:
        """What a batch puts out: alerts, then dead letters, each with headers; and the visits.

        Raises:
            FatalError: too many of the latest scans are bad.
        """
        now_ms = int(now.timestamp() * 1000)
        intake = take_in(batch.keys, batch.values, now_ms, self.limits)
        self.brake.add(len(batch), len(intake.rejected))
        topic, partition = batch.place
        views = self.statuses.look_up(partition, [scan.person_token for scan in intake.scans], intake.scanned_ms)
        venues = self.venues.look_up([scan.venue_id for scan in intake.scans])
        offsets, policy = batch.offsets, self.policy
        visits, raised = [], []
        for position, scan, scanned_ms, venue, status in zip(
            intake.positions, intake.scans, intake.scanned_ms, venues, views, strict=True
        ):
            origin = (topic, partition, offsets[position])
            visit, alert = decide(scan, scanned_ms, venue, status, origin, now, now_ms, policy)
            visits.append(visit)
            if alert is not None:
                raised.append((alert, batch.timestamps_ms[position]))
        messages = self._alerts(raised)
        failed_at = format_timestamp(now)
        for position, reason in intake.rejected:
            self.metrics.dead_letters.labels(topic, reason).inc()
            letter = DeadLetter(
                batch.keys[position], batch.values[position], topic, partition, offsets[position], reason, failed_at
            )
            messages.append(dead_letter_message(self.topics.dead_letters, letter))
        return messages, [
            {"key": visit.person_token, "value": value}
            for visit, value in zip(visits, encode_batch(visits), strict=True)
        ]

    def _alerts(self, raised: list[tuple[Alert, int]]) -> list[Message]:
        """Alerts whose id was not raised before."""
        messages = []
        for alert, appended_ms in raised:
            if not self.memory.is_new(alert.alert_id):
                self.metrics.alerts_repeated.labels(alert.level).inc()
                continue
            self.metrics.alerts.labels(alert.level).inc()
            headers = [(APPENDED_AT, str(appended_ms).encode())]
            messages.append(Message(self.topics.alerts(alert.level), alert.area_code.encode(), encode(alert), headers))
        return messages


class Pipeline:
    """Processes batches in the event loop, and lets a few be under way at once while Kafka acknowledges them.

    Guarantee: a batch's ticket is done only when every visit, alert and dead letter of it is acknowledged.
    """

    def __init__(
        self,
        decider: Decider,
        output: Output,
        ledger: OffsetLedger[Place],
        under_way: int,
        on_fatal: Callable[[str], None],
        at_step: AtStep = pass_by,
    ) -> None:
        self._decider = decider
        self._output = output
        self._ledger = ledger
        self._places = asyncio.Semaphore(under_way)
        self._under_way: set[Future[None]] = set()
        self._on_fatal = on_fatal
        self._at_step = at_step
        self._loop = asyncio.get_running_loop()

    async def handle(self, batch: Batch) -> None:
        """Decide a batch and hand its outputs over; returns before they are acknowledged."""
        await self._places.acquire()
        began = time.monotonic()
        metrics = self._decider.metrics
        try:
            messages, visits = self._decider.process(batch, datetime.now(UTC))
        except FatalError as error:
            self._on_fatal(str(error))
            raise
        except Exception as error:
            # An exception in an agent acks the batch: nothing may go on after one.
            self._on_fatal(f"a batch of {batch.place.topic} could not be processed: {type(error).__name__}: {error}")
            raise
        produced = time.monotonic()
        metrics.scans.inc(len(batch))
        metrics.batch_rows.observe(len(batch))
        metrics.batch_seconds.observe(produced - began)
        self._at_step(Step.BEFORE_PRODUCE)
        future = self._output.submit(messages, self._decider.topics.visits, visits)
        self._at_step(Step.AFTER_PRODUCE)
        self._under_way.add(future)

        def finished(_: Future[None]) -> None:
            self._loop.call_soon_threadsafe(self._finished, batch, future, len(visits), produced)

        future.add_done_callback(finished)

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait([asyncio.wrap_future(future) for future in self._under_way])
            await asyncio.sleep(0)  # the callbacks that mark tickets were queued before this task was woken

    def _finished(self, batch: Batch, future: Future[None], visits: int, produced: float) -> None:
        self._at_step(Step.BEFORE_ACKNOWLEDGE)
        self._ledger.done(batch.ticket)
        self._at_step(Step.AFTER_ACKNOWLEDGE)
        self._under_way.discard(future)
        self._places.release()
        metrics = self._decider.metrics
        metrics.visits.inc(visits)
        metrics.delivery_seconds.observe(time.monotonic() - produced)
        metrics.scan_age_seconds.observe(max(0.0, time.time() - batch.timestamps_ms[0] / 1000))
