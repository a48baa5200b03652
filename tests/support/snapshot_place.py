"""A place of the status store's snapshots, for tests: a directory, a clock, and a topic whose end is told."""

from __future__ import annotations

from pathlib import Path

from schemas.fast import epoch_ms
from streams.decide import StatusView
from streams.status_store import StatusStore
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import TopicIdentity
from tests.support.worker_scans import moment, status, token

TOPIC = TopicIdentity("cluster", "health.status.v1", "topic-id", tombstones_ms=86_400_000)
HOUR_MS = 3_600_000


class Place:
    """A directory of snapshots, a clock, and a topic whose end is told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now_ms = epoch_ms(moment())
        self.identity = TOPIC
        self.end = 0
        self.store = StatusStore()
        self.snapshots = self.reopened()

    def reopened(self) -> Snapshots:
        """As a worker that starts: an empty store."""
        self.store = StatusStore()
        self.store.open(3)
        self.snapshots = Snapshots(
            self.directory, "health.status.v1", self.store, self.identify, lambda _: self.end, 600, lambda: self.now_ms
        )
        return self.snapshots

    def identify(self) -> TopicIdentity:
        return self.identity

    def fill(self, persons: int, next_offset: int = 1000) -> None:
        """Some persons, each with two versions, caught up with the topic."""
        self.store.apply(3, [(token(n), status(n, "green", moment(-7200))) for n in range(persons)])
        self.store.apply(3, [(token(n), status(n, "red", moment(-60), version=2)) for n in range(persons)])
        self.snapshots.applied(3, next_offset, 2 * persons, persons)
        self.snapshots.caught_up(3, next_offset)

    def views(self, persons: int) -> list[StatusView]:
        """What is known of persons now, and an hour ago."""
        tokens = [token(n) for n in range(persons)]
        times = [epoch_ms(moment(second)) for second in (0, -3600)]
        return [view for at in times for view in self.store.look_up(3, tokens, [at] * persons)]

    @property
    def path(self) -> Path:
        return self.directory / "health.status.v1-3.statuses"
