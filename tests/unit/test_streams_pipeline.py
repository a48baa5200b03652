"""The way of a batch: its ticket is done only when its outputs are acknowledged, and never after a fault."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest

from schemas.alert import Alert
from schemas.brake import DeadLetterBrake
from schemas.categories import builtin_categories
from schemas.dead_letter import DeadLetter
from schemas.fast import epoch_ms
from schemas.topics import Topics
from schemas.visit import Visit
from streams.alert_memory import AlertMemory
from streams.alert_messages import APPENDED_AT
from streams.batch_producer import Records
from streams.batching.batch import Batch, Place, Stretch
from streams.batching.ledger import OffsetLedger
from streams.decide import Policy
from streams.decider import Decider
from streams.intake import Limits
from streams.messages import Messages
from streams.metrics import WorkerMetrics
from streams.pipeline import Pipeline
from streams.status_store import StatusStore
from streams.venue_directory import VenueDirectory
from streams.wall_clock import WallClock
from tests.support.produced import produced
from tests.support.worker_scans import moment, scan, status, token, venue

HERE = Place("venue.scans.v1", 0)
CLOCK = WallClock(60)


class SlowOutput:
    """Takes everything, and acknowledges when told to."""

    def __init__(self) -> None:
        self.under_way: list[Future[None]] = []

    def submit(self, messages: Sequence[Messages], records: Records | None = None) -> Future[None]:
        self.under_way.append(Future())
        return self.under_way[-1]


def decider(window: int = 1000) -> Decider:
    venues = VenueDirectory(builtin_categories())
    venues.apply("V-1", venue())
    statuses = StatusStore()
    statuses.open(0)
    statuses.apply(0, [(token(1), status(1, "red", moment(-60))), (token(2), status(2, "green", moment(-60)))])
    return Decider(
        topics=Topics(),
        limits=Limits(300_000, None),
        policy=Policy(b"key", 7_200_000, 600_000, 48 * 3_600_000),
        venues=venues,
        statuses=statuses,
        memory=AlertMemory(1000),
        brake=DeadLetterBrake(HERE.topic, window, 0.5),
        metrics=WorkerMetrics(),
    )


def batch(ledger: OffsetLedger[Place], first: int, *records: tuple[str, bytes]) -> Batch:
    offsets = range(first, first + len(records))
    return Batch(
        HERE.topic,
        [Stretch(0, len(records), ledger.fetched(HERE, offsets[0], offsets[-1]))],
        [key.encode() for key, _ in records],
        [value for _, value in records],
        offsets,
        [epoch_ms(moment()) + offset for offset in offsets],
    )


def good(person: int) -> tuple[str, bytes]:
    return token(person), scan(person, moment()).to_json()


def test_a_batch_puts_out_visits_alerts_and_dead_letters_and_no_repeat_of_an_alert() -> None:
    made = batch(OffsetLedger(), 40, good(1), good(2), (token(1), b"?"), good(1), good(3), good(4))
    messages, visits = decider().process(made, moment(1))
    found = [Visit.model_validate_json(value) for value in visits.lines.splitlines()]
    assert [(visit.source_offset, visit.colour) for visit in found] == [
        (40, "red"), (41, "green"), (43, "red"), (44, "unknown"), (45, "unknown"),
    ]  # fmt: skip
    assert visits.keys == [visit.person_token.encode() for visit in found]
    *alerts, letter = produced(messages)
    raised = [Alert.model_validate_json(alert.value or b"") for alert in alerts]
    assert [(alert.level, alert.person_token) for alert in raised] == [("red", token(1)), ("review", token(3))]
    assert [alert.topic for alert in alerts] == ["alerts.red.v1", "alerts.review.v1"]
    assert [alert.urgent for alert in alerts] == [True, False]
    assert {alert.key for alert in alerts} == {b"140105"}
    appended = epoch_ms(moment())
    assert [dict(alert.headers)[APPENDED_AT] for alert in alerts] == [b"%d" % (appended + n) for n in (40, 44)]
    assert [alert.appended_ms for alert in alerts] == [appended + 40, appended + 44]
    dead = DeadLetter.from_message(letter.key, letter.value, letter.headers)
    assert (dead.source_offset, dead.reason, dead.value) == (42, "not_json", b"?")


def test_red_alerts_go_out_before_yellow_ones_of_earlier_scans() -> None:
    chosen = decider()
    chosen.statuses.apply(0, [(token(5), status(5, "yellow", moment(-60)))])
    messages, _ = chosen.process(batch(OffsetLedger(), 0, good(3), good(5), good(1)), moment(1))
    assert [(some.topic, some.urgent) for some in messages] == [
        ("alerts.red.v1", True), ("alerts.yellow.v1", False), ("alerts.review.v1", False),
    ]  # fmt: skip


def test_a_ticket_is_done_when_the_outputs_are_acknowledged_and_not_before() -> None:
    async def run() -> None:
        ledger, output = OffsetLedger[Place](), SlowOutput()
        pipeline = Pipeline(decider(), output, ledger, 4, pytest.fail, CLOCK)  # type: ignore[arg-type]
        await pipeline.handle(batch(ledger, 0, good(1)))
        await pipeline.handle(batch(ledger, 1, good(2)))
        assert ledger.committable(HERE) is None
        output.under_way[1].set_result(None)
        waiting = asyncio.create_task(pipeline.finished())
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        assert ledger.committable(HERE) is None, "the first batch is not finished"
        output.under_way[0].set_result(None)
        await waiting
        assert ledger.committable(HERE) == 2

    asyncio.run(run())


class Values(list[bytes | None]):
    """A list that can be watched."""


def test_an_acknowledged_batch_is_let_go_of_without_the_collector() -> None:
    async def run() -> None:
        ledger, output = OffsetLedger[Place](), SlowOutput()
        pipeline = Pipeline(decider(), output, ledger, 4, pytest.fail, CLOCK)  # type: ignore[arg-type]
        made = batch(ledger, 0, good(1), good(2))
        made.values = Values(made.values)
        values = weakref.ref(made.values)
        await pipeline.handle(made)
        del made
        assert values() is not None
        output.under_way.pop().set_result(None)
        await pipeline.finished()
        assert values() is None

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()


def test_no_more_batches_are_under_way_than_allowed() -> None:
    async def run() -> None:
        ledger, output = OffsetLedger[Place](), SlowOutput()
        pipeline = Pipeline(decider(), output, ledger, 2, pytest.fail, CLOCK)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(pipeline.handle(batch(ledger, n, good(1)))) for n in range(3)]
        await asyncio.wait(tasks, timeout=0.05)
        assert len(output.under_way) == 2
        output.under_way[0].set_result(None)
        await asyncio.gather(*tasks)
        assert len(output.under_way) == 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("record", "said"),
    [((token(1), b"rubbish"), "are bad"), (good(1), "could not be processed: KeyError")],
)
def test_after_a_fault_the_process_ends_and_the_ticket_stays_open(record: tuple[str, bytes], said: str) -> None:
    async def run() -> None:
        ledger, fatal = OffsetLedger[Place](), list[str]()
        chosen = decider(window=1)
        if said.endswith("KeyError"):
            chosen.statuses.drop(0)  # as if the partition were not owned
        pipeline = Pipeline(chosen, SlowOutput(), ledger, 2, fatal.append, CLOCK)  # type: ignore[arg-type]
        with pytest.raises(Exception, match=r".") as raised:
            await pipeline.handle(batch(ledger, 0, record))
        assert token(1) not in str(raised.value)
        assert len(fatal) == 1
        assert said in fatal[0]
        assert token(1) not in fatal[0]
        assert ledger.committable(HERE) is None

    asyncio.run(run())


def test_the_workers_clock_is_written_down_and_decides_nothing() -> None:
    made = batch(OffsetLedger(), 0, good(1), good(2), good(3))
    now = datetime(2026, 3, 5, tzinfo=UTC)
    _, visits = decider().process(made, now)
    found = [Visit.model_validate_json(line) for line in visits.lines.splitlines()]
    assert [(visit.flags, visit.processed_at) for visit in found] == [((), now)] * 3


def test_a_scan_that_reached_kafka_more_than_two_days_after_it_was_made_is_late() -> None:
    made = batch(OffsetLedger(), 0, good(2))
    made.timestamps_ms = [epoch_ms(moment(48 * 3600 + 1))]
    _, visits = decider().process(made, moment(1))
    assert Visit.model_validate_json(visits.lines).flags == ("late",)
