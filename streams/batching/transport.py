"""Faust's aiokafka transport, delivering one fetched batch of one partition as one event.

Overrides private methods of faust-streaming 0.15 and reads private attributes of it; `PINNED` lists them all, and a
test fails when one of them is gone. Why each override is needed is said where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.batching.batch import Batch, Place
from streams.batching.ledger import OffsetLedger, Ticket

PINNED: Final[Mapping[str, tuple[str, ...]]] = {
    "faust.transport.consumer:Consumer": (
        "_add_gap",
        "_commit",
        "_drain_messages",
        "_filter_tps_with_pending_acks",
        "_get_active_partitions",
        "_new_offset",
        "_should_commit",
        "_to_message",
        "commit_and_end_transactions",
        "on_partitions_assigned",
        "on_partitions_revoked",
        "perform_seek",
        "wait_first",
    ),
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": (
        "_ensure_consumer",
        "_fetch_records",
        "call_thread",
        "seek_to_committed",
    ),
    "faust.transport.drivers.aiokafka:Consumer": ("_new_consumer_thread",),
    "faust.app.base:App": ("_create_directories", "_new_transport", "on_rebalance_start"),
    "faust.tables.manager:TableManager": ("_update_channels", "on_start", "recovery"),
    "aiokafka.consumer.fetcher:Fetcher": ("fetched_records", "seek_to"),
}
"""Private names this package leans on, by class."""

_FETCH_S: Final = 0.2
_IDLE_S: Final = 0.005


async def _nothing() -> None:
    """No effects to wait for."""


@dataclass(slots=True)
class Batching:
    """What the transport is told.

    Attributes:
        topics: delivered in batches; every other topic stays per record.
        is_open: whether a partition's records may be delivered yet; asked before every fetch.
        assigned: called with all partitions that are owned from now on, before any record of them is delivered.
        effects_finished: awaited before offsets are committed for the last time, in a rebalance or at the end.
        ledger: which batches were handed out, and which are finished.
    """

    topics: frozenset[str]
    is_open: Callable[[Place], bool] = lambda _: True
    assigned: Callable[[frozenset[Place]], None] = lambda _: None
    effects_finished: Callable[[], Any] = _nothing
    ledger: OffsetLedger[Place] = field(default_factory=OffsetLedger)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Records as they were drained, and how many seeks of all partitions had happened by then."""

    records: Mapping[TP, list[Any]]
    seeks: int


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka runs. Counts seeks, so that records drained before one are told from later ones."""

    seeks = 0

    async def fetch(self, partitions: set[TP]) -> _Fetched:
        """Records that aiokafka holds, or gets within a moment, of these partitions."""
        return cast(_Fetched, await self.call_thread(self._fetch, partitions))

    async def _fetch(self, partitions: set[TP]) -> _Fetched:
        consumer = self._ensure_consumer()
        records = await self._fetch_records(
            consumer, partitions, timeout=_FETCH_S, max_records=consumer._max_poll_records
        )
        return _Fetched(records, self.seeks)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return cast("Mapping[TP, int]", await self.call_thread(self._seek_all))

    async def _seek_all(self) -> Mapping[TP, int]:
        """Move every assigned partition to its committed offset, or to its beginning.

        Upstream does not move a partition without a committed offset (or with 0), and lets records be drained between
        the moves: both can lose what was drained and thrown away during a rebalance. Here all partitions are moved,
        and nothing runs in this thread between the first move and the count.
        """
        consumer = self._ensure_consumer()
        offsets = {partition: await consumer.committed(partition) for partition in consumer.assignment()}
        fresh = [partition for partition, offset in offsets.items() if offset is None]
        if fresh:
            offsets.update(await consumer.beginning_offsets(fresh))
        assigned = consumer.assignment()
        moved = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        for partition, offset in moved.items():
            consumer.seek(partition, offset)
        self.seeks += 1
        return {TP(partition.topic, partition.partition): offset for partition, offset in moved.items()}


class BatchConsumer(driver.Consumer):
    """Faust's consumer, delivering batches and committing what the ledger says is finished."""

    _thread: BatchConsumerThread
    _seeks_seen: int | None = None
    _ahead: asyncio.Task[_Fetched] | None = None

    @property
    def batching(self) -> Batching:
        batching: Batching = cast(Any, self.app).batching
        return batching

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        await super().perform_seek()
        self._seeks_seen = self._thread.seeks

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is finished, then forget: what is drained from now on belongs to nobody until the next seek."""
        await super().on_partitions_revoked(revoked)
        self._seeks_seen = None
        self._buffered_partitions.difference_update(revoked)
        self.batching.ledger.forget(Place(*partition) for partition in revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        owned = (Place(*partition) for partition in assigned)
        self.batching.assigned(frozenset(place for place in owned if place.topic in self.batching.topics))
        await super().on_partitions_assigned(assigned, generation_id)

    async def commit_and_end_transactions(self) -> None:
        # The last commit of a rebalance or of a clean stop: first let finish what is under way.
        await self.batching.effects_finished()
        await super().commit_and_end_transactions()

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        # Upstream forgets a revoked partition's acks before its last commit, and so repeats what was finished.
        for tp in super()._filter_tps_with_pending_acks(topics):
            if tp.topic not in self.batching.topics:
                yield tp
        for place in self.batching.ledger.partitions():
            if topics is None or place in topics or place.topic in topics:
                yield TP(*place)

    def _new_offset(self, tp: TP) -> int | None:
        """The ledger decides what may be committed; Faust's own acks only say that an agent let go of a batch."""
        if tp.topic not in self.batching.topics:
            return super()._new_offset(tp)
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.batching.ledger.committable(Place(*tp))

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and deliver until stopped. Upstream runs four asyncio tasks for every record here."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except Exception as error:
            self.log.exception("Fetching failed: %r", error)
            raise
        finally:
            if self._ahead is not None:
                self._ahead.cancel()
                self._ahead = None

    async def _drain_once(self) -> None:
        if not await self._flows():
            return
        fetched = await (self._ahead or self._fetch())
        # While a batch is worked on, the consumer's thread fetches the next: the agent holds this loop meanwhile.
        self._ahead = asyncio.create_task(self._fetch())
        for tp, records in self._in_order(fetched.records):
            # Ask again before each: delivering waits, and a rebalance may have gone by. A rebalance ends with a seek,
            # so records drained before it are fetched again, and records drained after it must not be thrown away.
            if not await self._flows() or fetched.seeks != self._seeks_seen or tp not in self.assignment():
                return
            await self._deliver(tp, records)

    async def _fetch(self) -> _Fetched:
        partitions = {tp for tp in self._get_active_partitions() if self._is_open(tp)}
        if partitions:
            return await self._thread.fetch(partitions)
        await asyncio.sleep(_IDLE_S)
        return _Fetched({}, self._thread.seeks)

    @staticmethod
    def _in_order(records: Mapping[Any, list[Any]]) -> Iterable[tuple[TP, list[Any]]]:
        """Partition by partition, as aiokafka serves them in turn."""
        return [(TP(tp.topic, tp.partition), found) for tp, found in records.items() if found]

    async def _flows(self) -> bool:
        """Wait until records may be delivered; false when the consumer is stopping."""
        while not self.flow_active and not self.should_stop:
            await self.wait(self.can_resume_flow.wait())
        return not self.should_stop

    def _is_open(self, tp: TP) -> bool:
        return tp.topic not in self.batching.topics or self.batching.is_open(Place(*tp))

    async def _deliver(self, tp: TP, records: list[Any]) -> None:
        next_offset = self._read_offset[tp]
        if next_offset is not None and records[0].offset < next_offset:
            records = [record for record in records if record.offset >= next_offset]
            if not records:
                return
        messages = (
            [self._batch_message(tp, records)]
            if tp.topic in self.batching.topics
            else [self._to_message(tp, record) for record in records]
        )
        if self._commit_every is not None and self._n_acked >= self._commit_every:
            self._n_acked = 0
            await self.commit()
        for message in messages:
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            self._read_offset[tp] = message.offset + 1

    def _batch_message(self, tp: TP, records: list[Any]) -> ConsumerMessage:
        """A message at the batch's last offset whose value is the batch."""
        place = Place(*tp)
        last = records[-1]
        ticket: Ticket[Place] = self.batching.ledger.fetched(place, records[0].offset, last.offset)
        batch = Batch(
            place,
            [record.key for record in records],
            [record.value for record in records],
            [record.offset for record in records],
            [record.timestamp for record in records],
            ticket,
        )
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            cast(Any, batch),
            None,
            0,
            0,
            tp,
            # Streams skip, and ack, silently whatever carries another generation.
            generation_id=self.app.consumer_generation_id,
        )


class BatchTransport(driver.Transport):
    """aiokafka's transport with a consumer that delivers batches."""

    Consumer: ClassVar[Any] = BatchConsumer
