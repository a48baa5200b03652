"""A batch of scans on its way: taken in, decided, produced, and its ticket marked done once Kafka has all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import chain

import numpy as np

from schemas.errors import FatalError
from streams.batching.batch import Batch, Place
from streams.batching.ledger import OffsetLedger
from streams.decider import Decider
from streams.output import Output
from streams.steps import AtStep, Step, pass_by
from streams.wall_clock import WallClock


class Pipeline:
    """Processes batches in the event loop, and lets a few be under way at once while Kafka acknowledges them.

    Guarantee: a batch's tickets are done only when every visit, alert and dead letter of it is acknowledged.
    """

    def __init__(
        self,
        decider: Decider,
        output: Output,
        ledger: OffsetLedger[Place],
        under_way: int,
        on_fatal: Callable[[str], None],
        clock: WallClock,
        at_step: AtStep = pass_by,
    ) -> None:
        self._decider = decider
        self._output = output
        self._ledger = ledger
        self._places = asyncio.Semaphore(under_way)
        self._under_way: set[Future[None]] = set()
        self._on_fatal = on_fatal
        self._at_step = at_step
        self._clock = clock
        self._loop = asyncio.get_running_loop()

    async def handle(self, batch: Batch) -> None:
        """Decide a batch and hand its outputs over; returns before they are acknowledged."""
        began = time.monotonic()
        metrics = self._decider.metrics
        try:
            messages, visits = self._decider.process(batch, datetime.fromtimestamp(self._clock.now(), UTC))
        except FatalError as error:
            self._on_fatal(str(error))
            raise
        except Exception as error:
            # An exception in an agent acks the batch: nothing may go on after one.
            self._on_fatal(f"a batch of {batch.topic} could not be processed: {type(error).__name__}: {error}")
            raise
        self._clock.saw(max(batch.timestamps_ms[stretch.end - 1] for stretch in batch.stretches))
        produced = time.monotonic()
        metrics.scans.inc(len(batch))
        metrics.batch_rows.observe(len(batch))
        metrics.batch_seconds.observe(produced - began)
        await self._places.acquire()
        self._at_step(Step.BEFORE_PRODUCE)
        future = self._output.submit(messages, visits)
        self._at_step(Step.AFTER_PRODUCE)
        self._under_way.add(future)
        raised = list(chain.from_iterable(some.appended_ms for some in messages))

        def finished(done: Future[None]) -> None:
            # Not `future`: it keeps its callbacks, and the circle would keep the batch until the collector comes by.
            self._loop.call_soon_threadsafe(self._finished, batch, done, len(visits), produced, raised)

        future.add_done_callback(finished)

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait([asyncio.wrap_future(future) for future in self._under_way])
            await asyncio.sleep(0)  # the callbacks that mark tickets were queued before this task was woken

    def _finished(
        self, batch: Batch, future: Future[None], visits: int, produced: float, raised: Sequence[int]
    ) -> None:
        self._at_step(Step.BEFORE_ACKNOWLEDGE)
        for stretch in batch.stretches:
            self._ledger.done(stretch.ticket)
        self._at_step(Step.AFTER_ACKNOWLEDGE)
        self._under_way.discard(future)
        self._places.release()
        metrics = self._decider.metrics
        metrics.visits.inc(visits)
        metrics.delivery_seconds.observe(time.monotonic() - produced)
        now = self._clock.now()
        first = min(batch.timestamps_ms[stretch.begin] for stretch in batch.stretches)
        metrics.scan_age_seconds.observe(max(0.0, now - first / 1000))
        for stretch in batch.stretches:
            metrics.finished(stretch.place.partition, batch.timestamps_ms[stretch.end - 1])
        if raised:
            metrics.alert_seconds.observe_all(np.maximum(0.0, now - np.array(raised) / 1000))
