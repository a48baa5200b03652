"""Snapshots of the status store in a directory: taken while it is in use, and used again where nothing speaks against.

What could speak against one: it is damaged, of another cluster, topic or partition; the topic begins after it or ends
before it; or it is so old that the tombstone of a person erased since may be gone from the topic, and reading on from
the snapshot would bring the person back. A younger tombstone goes only where the person has another status since; what
was known before then looks like what that status superseded. So a snapshot is given up where compaction has been at
work behind it and somebody known has another status there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from schemas.errors import ConfigurationError, RetryableError
from streams.status_store import StatusStore
from streams.statuses.snapshot_file import BadSnapshotError, Contents, SnapshotWriter, read_contents, read_statuses
from streams.statuses.topic_identity import TopicIdentity

_FILES: Final = "*.statuses*"

_SAFE_SHARE: Final = 0.5
"""Of the time that tombstones are kept: the rest is for reading on, and for clocks that differ."""

log = structlog.get_logger(__name__)


class _Saved(NamedTuple):
    """What the latest snapshot holds, and when it was taken, or taking it last failed."""

    next_offset: int
    at_ms: int


_NEVER: Final = _Saved(-1, 0)


class _ReadingOn(NamedTuple):
    """What was met between a snapshot and the partition's end: offsets without a record, statuses of people known."""

    gap: bool
    renewed: bool


class Snapshots:
    """Saves and loads partitions of a store. All calls from the one thread that changes the store.

    Args:
        directory: of the files; made when missing, and closed to everybody else: they hold person tokens.
        topic: where the statuses come from.
        store: what is saved and loaded.
        identify: says which topic this is; may raise RetryableError, then no snapshot is used or taken for now.
        end_of: asks for the offset after a partition's last record; may raise RetryableError.
        every_s: a partition that has changed is saved again after so many seconds.
        now_ms: the clock, epoch milliseconds.

    Raises:
        ConfigurationError: the directory cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        topic: str,
        store: StatusStore,
        identify: Callable[[], TopicIdentity],
        end_of: Callable[[int], int],
        every_s: float,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._directory, self._topic, self._store = directory, topic, store
        self._identify, self._end_of = identify, end_of
        self._every_ms, self._now_ms = every_s * 1000, now_ms
        self._identity: TopicIdentity | None = None
        self._next_offset: dict[int, int] = {}
        self._as_of_ms: dict[int, int] = {}
        self._reading_on: dict[int, _ReadingOn] = {}
        self._saved: dict[int, _Saved] = {}
        self._writer: SnapshotWriter | None = None
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
        except OSError as error:
            raise ConfigurationError(
                f"the directory of status snapshots {directory} cannot be used ({error.strerror}); set "
                "VENUECODE_WORKER__SNAPSHOT_DIR to another one"
            ) from error

    def load(self, partition: int, low: int, high: int) -> int | None:
        """Fill a partition of the store from its snapshot.

        Args:
            partition: opened, and empty.
            low: the partition's first offset now.
            high: the offset after its last.

        Returns:
            The offset to read on from; null when there is no snapshot, or none that can be used (which is logged).
        """
        path = self._path(partition)
        began = time.monotonic()
        try:
            with path.open("rb") as file:
                contents = read_contents(file)
                self._check(contents, self._known_identity(), partition, low, high)
                self._store.put(partition, read_statuses(file, contents, self._store.kind_numbers))
        except FileNotFoundError:
            return None
        except (BadSnapshotError, RetryableError, OSError) as error:
            log.warning(
                "status_snapshot_ignored", path=str(path), reason=str(error), instead="the topic is read from its start"
            )
            return None
        self._next_offset[partition] = contents.next_offset
        self._as_of_ms[partition] = contents.as_of_ms
        self._saved[partition] = _Saved(contents.next_offset, contents.as_of_ms)
        self._reading_on[partition] = _ReadingOn(gap=False, renewed=False)
        log.info(
            "status_snapshot_loaded",
            partition=partition,
            persons=contents.persons,
            records_left=high - contents.next_offset,
            seconds=round(time.monotonic() - began, 3),
        )
        return contents.next_offset

    def applied(self, partition: int, next_offset: int, records: int, renewed: int) -> bool:
        """Everything before `next_offset` is in the store.

        Args:
            partition: that was read.
            next_offset: after its last record in the store.
            records: read since the last call.
            renewed: how many of them were statuses of somebody who had one already.

        Returns:
            Whether the store can be kept. If not, its snapshot is deleted, and the partition must be dropped and read
            from its start: somebody may have been erased and registered again between two records that were read.
        """
        before = self._next_offset.get(partition)
        self._next_offset[partition] = next_offset
        met = self._reading_on.get(partition)
        if met is None or before is None:
            return True
        met = _ReadingOn(met.gap or next_offset - before != records, met.renewed or renewed > 0)
        self._reading_on[partition] = met
        if not (met.gap and met.renewed):
            return True
        log.warning(
            "status_snapshot_given_up",
            partition=partition,
            reason="the topic was compacted behind it, and somebody known has another status there",
            instead="the topic is read from its start",
        )
        self._path(partition).unlink(missing_ok=True)
        return False

    def caught_up(self, partition: int, next_offset: int) -> None:
        """Everything that was on the partition a moment ago lay before `next_offset` and is in the store."""
        self._reading_on.pop(partition, None)
        self._next_offset[partition] = next_offset
        self._as_of_ms[partition] = self._now_ms()

    def dropped(self, partition: int) -> None:
        """The store has let go of a partition; its latest snapshot stays."""
        for known in (self._next_offset, self._as_of_ms, self._saved, self._reading_on):
            known.pop(partition, None)
        if self._writer is not None and self._writer.contents.partition == partition:
            self._abandon()

    def step(self) -> None:
        """Do a little: write one slice of a snapshot, or begin one that is due. Call again and again."""
        try:
            if self._writer is None:
                self._begin()
            elif not self._writer.step():
                self._completed(self._writer)
        except (OSError, RetryableError) as error:
            self._failed(error)

    def save_all(self) -> None:
        """Save every partition that is caught up and has changed since it was saved; takes as long as it takes."""
        self._abandon()
        for partition in sorted(self._as_of_ms):
            unchanged = self._saved.get(partition, _NEVER).next_offset == self._next_offset[partition]
            if unchanged or self._is_doubtful(partition):
                continue
            try:
                self._writer = self._write(partition)
                while self._writer.step():
                    pass
                self._completed(self._writer)
            except (OSError, RetryableError) as error:
                self._failed(error)

    def _begin(self) -> None:
        now = self._now_ms()
        for partition in self._as_of_ms:
            if self._is_doubtful(partition):
                continue
            saved = self._saved.get(partition, _NEVER)
            changed = saved.next_offset != self._next_offset[partition]
            # One that has not changed is saved again as well, before it gets too old to be used.
            if now - saved.at_ms >= (self._every_ms if changed else self._usable_ms() / 2):
                self._sweep(now)
                if self._end_of(partition) <= self._next_offset[partition]:
                    self._as_of_ms[partition] = now
                self._writer = self._write(partition)
                return

    def _is_doubtful(self, partition: int) -> bool:
        """Whether a snapshot taken now would lie behind missing offsets, unknown to whoever reads on from it."""
        met = self._reading_on.get(partition)
        return met is not None and met.gap

    def _write(self, partition: int) -> SnapshotWriter:
        known = self._known_identity()
        contents = Contents(
            cluster_id=known.cluster_id,
            topic=known.topic,
            topic_id=known.topic_id,
            partition=partition,
            next_offset=self._next_offset[partition],
            as_of_ms=self._as_of_ms[partition],
            tombstones_ms=known.tombstones_ms,
        )
        return SnapshotWriter(
            self._path(partition), contents, self._store.partition(partition), self._store.kind_numbers
        )

    def _completed(self, writer: SnapshotWriter) -> None:
        self._writer = None
        self._saved[writer.contents.partition] = _Saved(writer.contents.next_offset, self._now_ms())

    def _failed(self, error: Exception) -> None:
        """Not fatal: a restart takes longer without a snapshot, that is all. Tried again when the next one is due."""
        log.warning("status_snapshot_not_written", directory=str(self._directory), reason=str(error))
        self._abandon()
        for partition in self._as_of_ms:
            self._saved[partition] = _Saved(self._saved.get(partition, _NEVER).next_offset, self._now_ms())

    def _abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def _check(self, contents: Contents, known: TopicIdentity, partition: int, low: int, high: int) -> None:
        found = (contents.cluster_id, contents.topic, contents.topic_id, contents.partition)
        if found != (known.cluster_id, known.topic, known.topic_id, partition):
            raise BadSnapshotError("it is of another cluster, topic or partition, or of a topic deleted since")
        if not low <= contents.next_offset <= high:
            raise BadSnapshotError(
                f"the partition has offsets {low} to {high}, the snapshot ends at {contents.next_offset}"
            )
        age = self._now_ms() - contents.as_of_ms
        usable = _SAFE_SHARE * min(contents.tombstones_ms, known.tombstones_ms)
        if not 0 <= age <= usable:
            raise BadSnapshotError(
                f"it is {age / 3.6e6:.1f} h old, not 0 to {usable / 3.6e6:.1f} h: one erased since might come back"
            )

    def _usable_ms(self) -> float:
        return _SAFE_SHARE * self._known_identity().tombstones_ms

    def _known_identity(self) -> TopicIdentity:
        if self._identity is None:
            self._identity = self._identify()
        return self._identity

    def _sweep(self, now: int) -> None:
        """Delete snapshots, also of other workers, that are too old to be used: they may hold somebody erased since."""
        oldest_s = (now - self._usable_ms()) / 1000
        for path in self._directory.glob(_FILES):
            if path.stat().st_mtime < oldest_s:
                path.unlink(missing_ok=True)

    def _path(self, partition: int) -> Path:
        return self._directory / f"{self._topic}-{partition}.statuses"


def delete_snapshots(directory: Path) -> None:
    """Delete all snapshots in a directory, and the directory where nothing else is in it."""
    for path in directory.glob(_FILES):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()
