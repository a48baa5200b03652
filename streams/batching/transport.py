"""Faust's aiokafka transport, delivering batches that come from a `RecordSource`.

Overrides private methods of faust-streaming 0.15 and reads private attributes of it; `PINNED` lists them all, and a
test fails when one of them is gone. Why each override is needed is said where it is, and in docs/upstream.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from schemas.kafka import ClientConfig
from streams.batching.batch import Batch, Place
from streams.batching.ledger import OffsetLedger, Ticket
from streams.batching.source import Fetched, RecordSource
from streams.steps import AtStep, Step, pass_by

PINNED: Final[Mapping[str, tuple[str, ...]]] = {
    "faust.transport.consumer:Consumer": (
        "_add_gap",
        "_commit",
        "_commit_fut",
        "_drain_messages",
        "_filter_tps_with_pending_acks",
        "_new_offset",
        "_should_commit",
        "commit_and_end_transactions",
        "on_partitions_assigned",
        "on_partitions_revoked",
        "perform_seek",
        "verify_event_path",
        "wait_first",
    ),
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": ("_ensure_consumer", "call_thread", "seek_to_committed"),
    "faust.transport.drivers.aiokafka:Consumer": ("_new_consumer_thread",),
    "faust.app.base:App": ("_create_directories", "_new_transport", "on_rebalance_start"),
    "faust.tables.manager:TableManager": ("_update_channels", "on_start", "recovery"),
    "aiokafka.consumer.group_coordinator:GroupCoordinator": ("_coordination_routine", "_push_error_to_user"),
    "aiokafka.consumer.subscription_state:SubscriptionState": ("fetch_context", "fetcher_idle_time"),
}
"""Private names this package leans on, by class."""

_KEEP_ALIVE_S: Final = 1.0


async def _nothing() -> None:
    """No effects to wait for."""


@dataclass(slots=True)
class Batching:
    """What the transport is told.

    Attributes:
        topics: all topics that are read; every one is delivered in batches.
        cluster: where the brokers are, as librdkafka's settings.
        rows: most records in one batch.
        is_open: whether a partition's records may be read yet.
        assigned: called with all partitions that are owned from now on, before any record of them is delivered.
        effects_finished: awaited before offsets are committed for the last time, in a rebalance or at the end.
        on_fatal: called, in any thread, when records cannot be read any more.
        ledger: which batches were handed out, and which are finished.
        at_step: see `streams.steps.AtStep`.
    """

    topics: frozenset[str]
    cluster: ClientConfig
    on_fatal: Callable[[str], None]
    rows: int = 8000
    is_open: Callable[[Place], bool] = lambda _: True
    assigned: Callable[[frozenset[Place]], None] = lambda _: None
    effects_finished: Callable[[], Any] = _nothing
    ledger: OffsetLedger[Place] = field(default_factory=OffsetLedger)
    at_step: AtStep = pass_by


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka runs, as the member of the group; it fetches nothing."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return cast("Mapping[TP, int]", await self.call_thread(self._committed_or_first))

    async def keep_alive(self) -> None:
        """Tell aiokafka that its records are asked for: it leaves the group when nobody does."""
        await self.call_thread(self._touch)

    def membership_error(self) -> BaseException | None:
        """What ended the task that joins the group and stays in it, or what it waits to be rid of; from any thread.

        aiokafka tells whoever fetches through it, and nobody else.
        """
        coordinator: Any = self._consumer and self._consumer._coordinator
        if coordinator is None:
            return None
        task, pending = coordinator._coordination_task, cast("BaseException | None", coordinator._pending_exception)
        ended = task.exception() if task.done() and not task.cancelled() else None
        return cast("BaseException | None", ended) or pending

    async def _committed_or_first(self) -> Mapping[TP, int]:
        """Where every assigned partition is to be read from.

        Upstream moves no partition without a committed offset, and so loses what was drained in a rebalance.
        """
        consumer = self._ensure_consumer()
        # Read by the source alone. A pause lasts as long as the assignment, and every assignment comes by here.
        consumer.pause(*consumer.assignment())
        offsets = {partition: await consumer.committed(partition) for partition in consumer.assignment()}
        fresh = [partition for partition, offset in offsets.items() if offset is None]
        if fresh:
            offsets.update(await consumer.beginning_offsets(fresh))
        return {TP(partition.topic, partition.partition): offset for partition, offset in offsets.items()}

    async def _touch(self) -> None:
        with self._ensure_consumer()._fetcher._subscriptions.fetch_context():
            pass


class BatchConsumer(driver.Consumer):
    """Faust's consumer, delivering batches and committing what the ledger says is finished."""

    _thread: BatchConsumerThread
    _source: RecordSource | None = None
    _kept_alive: float = 0.0

    @property
    def batching(self) -> Batching:
        batching: Batching = cast(Any, self.app).batching
        return batching

    @property
    def source(self) -> RecordSource:
        """What the records come from; made when it is first needed, in the running loop."""
        if self._source is None:
            told = self.batching
            self._source = RecordSource(told.cluster, self.app.conf.id, told.rows, told.is_open, told.on_fatal)
        return self._source

    def membership_error(self) -> BaseException | None:
        """See `BatchConsumerThread.membership_error`."""
        return self._thread.membership_error() if self._thread is not None else None

    def end_seen(self, place: Place) -> int:
        """See `RecordSource.end_seen`."""
        return self.source.end_seen(place)

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        await super().perform_seek()
        self.source.move_to({Place(*tp): self._read_offset[tp] or 0 for tp in self.assignment()})

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is finished, then forget: what is read from now on belongs to nobody until the next seek."""
        await super().on_partitions_revoked(revoked)
        self.source.move_to({})
        self.batching.ledger.forget(Place(*partition) for partition in revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        unknown = {partition.topic for partition in assigned} - self.batching.topics
        if unknown:
            self.batching.on_fatal(f"topics that are not delivered in batches were assigned: {sorted(unknown)}")
        self.batching.assigned(frozenset(Place(*partition) for partition in assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def commit_and_end_transactions(self) -> None:
        # The last commit of a rebalance or of a clean stop: first let finish what is under way.
        await self.batching.effects_finished()
        # Upstream makes no commit while another is under way, and that one may have been asked for before the end.
        while self._commit_fut is not None:
            await self.maybe_wait_for_commit_to_finish()
        await super().commit_and_end_transactions()

    async def on_stop(self) -> None:
        await super().on_stop()
        if self._source is not None:
            await asyncio.to_thread(self._source.close)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Upstream looks at aiokafka's fetches, of which there are none; `streams.progress` asks the brokers."""

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        # Upstream forgets a revoked partition's acks before its last commit, and so repeats what was finished.
        for place in self.batching.ledger.partitions():
            if topics is None or place in topics or place.topic in topics:
                yield TP(*place)

    def _new_offset(self, tp: TP) -> int | None:
        """The ledger decides what may be committed; Faust's own acks only say that an agent let go of a batch."""
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.batching.ledger.committable(Place(*tp))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.batching.at_step(Step.BEFORE_COMMIT)
        committed: bool = await super()._commit(offsets)
        self.batching.at_step(Step.AFTER_COMMIT)
        return committed

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver until stopped. Upstream runs four asyncio tasks for every record here."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except Exception as error:
            self.log.exception("Delivering failed: %r", error)
            raise

    async def _drain_once(self) -> None:
        if time.monotonic() - self._kept_alive > _KEEP_ALIVE_S:
            self._kept_alive = time.monotonic()
            await self._thread.keep_alive()
        self.batching.at_step(Step.BEFORE_FETCH)
        fetched = await self.source.take()
        # A rebalance begins and ends with a move: what was read before the latest is read again, or is not ours.
        if fetched is None or not await self._flows() or fetched.move != self.source.move:
            return
        self.batching.at_step(Step.AFTER_FETCH)
        message = self._batch_message(fetched)
        if self._commit_every is not None and self._n_acked >= self._commit_every:
            self._n_acked = 0
            await self.commit()
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    async def _flows(self) -> bool:
        """Wait until records may be delivered; false when the consumer is stopping."""
        while not self.flow_active and not self.should_stop:
            await self.wait(self.can_resume_flow.wait())
        return not self.should_stop

    def _batch_message(self, fetched: Fetched) -> ConsumerMessage:
        """A message whose value is the batch; of the batch's partitions it is given out as one of the last.

        The ledger alone knows which records it stands for.
        """
        tickets = [self._ticket(messages) for messages in fetched.found]
        place, last = tickets[-1].partition, fetched.found[-1][-1]
        batch = Batch.of_messages(fetched.found, tickets)
        return ConsumerMessage(
            *place,
            last.offset(),
            last.timestamp()[1] / 1000,
            0,
            None,
            None,
            cast(Any, batch),
            None,
            0,
            0,
            TP(*place),
            # Streams skip, and ack, silently whatever carries another generation.
            generation_id=self.app.consumer_generation_id,
        )

    def _ticket(self, messages: Sequence[Any]) -> Ticket[Place]:
        first, last = messages[0], messages[-1]
        return self.batching.ledger.fetched(Place(first.topic(), first.partition()), first.offset(), last.offset())


class BatchTransport(driver.Transport):
    """aiokafka's transport with a consumer that delivers batches."""

    Consumer: ClassVar[Any] = BatchConsumer
