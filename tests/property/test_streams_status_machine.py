"""The status store and its snapshots against a plain dict: any order of changes, snapshots, restarts and owners."""

from __future__ import annotations

import logging
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import get_args

import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.fast import epoch_ms
from schemas.health import Colour
from streams.decide import UNKNOWN
from streams.status_store import StatusStore
from streams.statuses import snapshot_file
from streams.statuses.reading import Change
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import TopicIdentity
from tests.property.test_streams_status_store import Model
from tests.support.worker_scans import moment, status, token

PERSONS, PARTITIONS = 8, 2
PARTITION = st.integers(0, PARTITIONS - 1)
TOMBSTONES_MS = 1000


@st.composite
def batches(draw: st.DrawFn) -> list[Change]:
    found: list[Change] = []
    for _ in range(draw(st.integers(1, 6))):
        person = draw(st.integers(0, PERSONS - 1))
        if draw(st.integers(0, 4)) == 0:
            found.append((token(person), None))
        else:
            colour: Colour = draw(st.sampled_from(get_args(Colour)))
            since = moment() + timedelta(hours=draw(st.integers(0, 3)))
            hours = draw(st.integers(0, 4))
            found.append((token(person), status(person, colour, since, version=draw(st.integers(0, 4)), hours=hours)))
    return found


class Machine(RuleBasedStateMachine):
    """Partitions as logs that grow; a worker that reads them, takes snapshots in slices of two rows, and restarts.

    A log that is never compacted takes versions in any order. On one that is, a person's versions never fall:
    compaction keeps the latest record, and what it dropped nobody can know.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.logs: list[list[Change]] = [[] for _ in range(PARTITIONS)]
        self.written_ms: list[list[int]] = [[] for _ in range(PARTITIONS)]
        self.now_ms = 0
        self.compacts = False
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        self.rows, snapshot_file._ROWS = snapshot_file._ROWS, 2  # type: ignore[misc]
        self.start()

    def teardown(self) -> None:
        for partition in list(self.read):
            self.snapshots.dropped(partition)
        snapshot_file._ROWS = self.rows  # type: ignore[misc]
        structlog.reset_defaults()
        shutil.rmtree(self.directory)

    def start(self) -> None:
        self.store = StatusStore()
        self.read: dict[int, int] = {}
        topic = TopicIdentity("cluster", "statuses", "id", TOMBSTONES_MS)
        self.snapshots = Snapshots(
            self.directory, "statuses", self.store, lambda: topic, self.end_of, 0.1, lambda: self.now_ms
        )

    def end_of(self, partition: int) -> int:
        return len(self.logs[partition])

    @initialize(compacts=st.booleans())
    def choose(self, compacts: bool) -> None:
        self.compacts = compacts

    def readable(self, partition: int) -> list[tuple[int, Change]]:
        """What can still be read; compacted, of each person the latest record, and no tombstone longer than kept."""
        latest = {change[0]: offset for offset, change in enumerate(self.logs[partition])}
        return [
            (offset, change)
            for offset, change in enumerate(self.logs[partition])
            if not self.compacts
            or (
                latest[change[0]] == offset
                and (change[1] is not None or self.now_ms - self.written_ms[partition][offset] < TOMBSTONES_MS)
            )
        ]

    @rule(partition=PARTITION, batch=batches())
    def write(self, partition: int, batch: list[Change]) -> None:
        for person, change in batch:
            if self.compacts and change is not None:
                before = next((known for other, known in reversed(self.logs[partition]) if other == person), None)
                if before is not None and change.version < before.version:
                    change = change.model_copy(update={"version": before.version})
            self.logs[partition].append((person, change))
        self.written_ms[partition].extend([self.now_ms] * len(batch))

    @rule(ms=st.sampled_from((1, 99, 101, 499, 501, 1001)))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @rule(partition=PARTITION)
    def own(self, partition: int) -> None:
        """Begin with the snapshot, and read on in what compaction has left."""
        if partition in self.read:
            return
        self.store.open(partition)
        end = len(self.logs[partition])
        first = self.snapshots.load(partition, 0, end) or 0
        left = [(offset, change) for offset, change in self.readable(partition) if offset >= first]
        if left and not self.take_over(partition, left):
            self.snapshots.dropped(partition)
            self.store.open(partition)
            assert self.snapshots.load(partition, 0, end) is None
            assert self.take_over(partition, self.readable(partition))
        self.caught_up(partition)

    def take_over(self, partition: int, records: list[tuple[int, Change]]) -> bool:
        renewed = self.store.apply(partition, [change for _, change in records])
        return self.snapshots.applied(partition, records[-1][0] + 1, len(records), renewed)

    @rule(partition=PARTITION, count=st.integers(1, 5))
    def follow(self, partition: int, count: int) -> None:
        if partition not in self.read:
            return
        records = list(enumerate(self.logs[partition]))[self.read[partition] :][:count]
        if records:
            assert self.take_over(partition, records)
            self.read[partition] += len(records)
        if self.read[partition] == len(self.logs[partition]):
            self.caught_up(partition)

    def caught_up(self, partition: int) -> None:
        self.read[partition] = len(self.logs[partition])
        self.snapshots.caught_up(partition, self.read[partition])

    @rule(partition=PARTITION)
    def release(self, partition: int) -> None:
        if self.read.pop(partition, None) is not None:
            self.store.drop(partition)
            self.snapshots.dropped(partition)

    @precondition(lambda self: bool(self.read))
    @rule(steps=st.integers(1, 4))
    def snapshot(self, steps: int) -> None:
        for _ in range(steps):
            self.snapshots.step()

    @rule(cleanly=st.booleans())
    def restart(self, cleanly: bool) -> None:
        if cleanly:
            self.snapshots.save_all()
        for partition in list(self.read):
            self.snapshots.dropped(partition)
        self.start()

    @invariant()
    def the_latest_status_of_everybody_is_known_and_nobody_erased_is(self) -> None:
        tokens = [token(number) for number in range(PERSONS)]
        for partition, read in self.read.items():
            model = Model()
            for person, change in self.logs[partition][:read]:
                model.apply(person, change)
            assert len(self.store.partition(partition)) == len(model.latest)
            for hour in (0, 1, 2, 3, 5):
                at = moment() + timedelta(hours=hour)
                found = self.store.look_up(partition, tokens, [epoch_ms(at)] * PERSONS)
                for person, view in zip(tokens, found, strict=True):
                    newest, expected = model.latest.get(person), model.look_up(person, at)
                    # Of what was superseded before a compaction one may know nothing, and must know nothing else.
                    superseded = self.compacts and newest is not None and newest.valid_from > at
                    assert view == expected or (superseded and view == UNKNOWN)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=40)
