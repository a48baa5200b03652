"""Statuses and venues, followed: what must be caught up before a scan is decided, and whether it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from schemas.brake import DeadLetterBrake
from schemas.categories import builtin_categories
from schemas.dead_letter import DeadLetter
from schemas.errors import FatalError, RejectError
from schemas.fast import FastDecoder
from schemas.venue import Venue
from streams.config import WorkerConfig
from streams.follower import Records, TopicFollower
from streams.memory import give_back_freed_memory
from streams.messages import dead_letters
from streams.metrics import WorkerMetrics
from streams.output import Output
from streams.reference_feed import ReferenceDecoder, Rejected
from streams.status_store import StatusStore
from streams.statuses.reading import StatusReader
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import identify
from streams.venue_directory import VenueDirectory

_LONGEST_ID: Final = 64


def _check_venue_id(key: bytes) -> None:
    try:
        if len(key.decode()) > _LONGEST_ID:
            raise RejectError("key_mismatch")
    except UnicodeDecodeError:
        raise RejectError("bad_utf8") from None


class Reference:
    """Keeps the status store and the venue directory up to date.

    Args:
        config: the worker's.
        output: where bad records go.
        metrics: where they are counted.
        on_fatal: called when following ends for good.
    """

    def __init__(
        self, config: WorkerConfig, output: Output, metrics: WorkerMetrics, on_fatal: Callable[[str], None]
    ) -> None:
        self.statuses = StatusStore()
        self.venues = VenueDirectory(builtin_categories())
        self._config, self._output, self._metrics = config, output, metrics
        self._ready: set[int] = set()
        self._owned: frozenset[int] = frozenset()
        self._holding = False
        self._newest_status_ms = 0
        self._venues_ready = threading.Event()
        topics, group = config.topics, config.group
        self._status_reader = StatusReader(topics.statuses, self.statuses.kind_numbers)
        self._venue_decoder = ReferenceDecoder(
            topics.venues, FastDecoder(Venue), lambda venue: venue.venue_id, _check_venue_id
        )
        self._brakes = {
            name: DeadLetterBrake(name, config.bad_window, config.max_bad_share)
            for name in (topics.statuses, topics.venues)
        }
        self._status_follower = TopicFollower(
            config.cluster,
            f"{group}-statuses",
            topics.statuses,
            apply=self._apply_statuses,
            caught_up=self._statuses_caught_up,
            opened=self._open,
            dropped=self._drop,
            on_fatal=on_fatal,
            between=self._between,
            patience_s=config.status_wait_s,
        )
        self._snapshots = self._snapshots_of(config)
        self._venue_follower = TopicFollower(
            config.cluster,
            f"{group}-venues",
            topics.venues,
            apply=self._apply_venues,
            caught_up=lambda *_: self._venues_ready.set(),
            opened=lambda *_: None,
            dropped=lambda _: None,
            on_fatal=on_fatal,
            patience_s=config.status_wait_s,
        )

    def start(self) -> None:
        """Begin with the venues; statuses are read as partitions are owned."""
        self._venue_follower.follow((0,))
        self._venue_follower.start()
        self._status_follower.start()

    def hold(self) -> None:
        """Let go of nothing from now on: what is owned when the worker stops goes into the last snapshot."""
        self._holding = True

    def close(self) -> None:
        """Stop following, and save what is owned."""
        self._venue_follower.close()
        self._status_follower.close()
        if self._snapshots is not None:
            self._snapshots.save_all()

    def own(self, partitions: Collection[int]) -> None:
        """These partitions of the scans are owned from now on: read their statuses, let go of all others."""
        if self._holding:
            return
        self._owned = frozenset(partitions)
        self._status_follower.follow(partitions)

    def is_open(self, partition: int) -> bool:
        """Whether scans of this partition may be decided."""
        return partition in self._ready and self._venues_ready.is_set()

    def status_age_s(self) -> float:
        """Seconds since the newest status that was read was appended to its topic; 0 before the first."""
        return max(0.0, time.time() - self._newest_status_ms / 1000) if self._newest_status_ms else 0.0

    def waiting_for(self) -> list[str]:
        """What is not caught up yet, in words."""
        behind = self._status_follower.behind()
        missing = [
            f"statuses of partition {number}{_words(behind.get(number))}"
            for number in sorted(self._owned - self._ready)
        ]
        return missing if self._venues_ready.is_set() else ["venues", *missing]

    def _snapshots_of(self, config: WorkerConfig) -> Snapshots | None:
        if config.snapshot_dir is None:
            return None
        return Snapshots(
            config.snapshot_dir,
            config.topics.statuses,
            self.statuses,
            identify=lambda: identify(config.cluster, config.topics.statuses),
            end_of=self._status_follower.end_of,
            every_s=config.snapshot_every_s,
        )

    def _open(self, partition: int, low: int, high: int) -> int | None:
        self.statuses.open(partition)
        return None if self._snapshots is None else self._snapshots.load(partition, low, high)

    def _statuses_caught_up(self, partition: int, next_offset: int) -> None:
        if self._snapshots is not None:
            self._snapshots.caught_up(partition, next_offset)
        if partition not in self._ready:
            self._ready.add(partition)
            if self._ready >= self._owned:
                give_back_freed_memory()

    def _between(self) -> None:
        if self._snapshots is not None:
            self._snapshots.step()

    def _drop(self, partition: int) -> None:
        self._ready.discard(partition)
        self.statuses.drop(partition)
        if self._snapshots is not None:
            self._snapshots.dropped(partition)

    def _apply_statuses(self, partition: int, records: Records, reported: int) -> None:
        keys, statuses, rejected = self._status_reader.read(records)
        self._newest_status_ms = max(self._newest_status_ms, records[-1].timestamp()[1])
        renewed = self.statuses.apply_columns(partition, keys, statuses)
        self._set_aside(self._status_reader.decoder, self._status_follower, records, rejected, reported)
        if self._snapshots is not None:
            next_offset = records[-1].offset() + 1
            if not self._snapshots.applied(partition, next_offset, len(records), renewed):
                self._status_follower.begin_again(partition)

    def _apply_venues(self, partition: int, records: Records, reported: int) -> None:
        changes, rejected = self._venue_decoder.decode(records)
        for venue_id, venue in changes:
            self.venues.apply(venue_id, venue)
        self._set_aside(self._venue_decoder, self._venue_follower, records, rejected, reported)

    def _set_aside(
        self,
        decoder: ReferenceDecoder[Any],
        follower: TopicFollower,
        records: Records,
        rejected: Sequence[Rejected],
        reported: int,
    ) -> None:
        """Send what is bad and was not reported by an earlier reader to the dead letters, and remember that."""
        fresh = [(message, error) for message, error in rejected if message.offset() >= reported]
        self._brakes[decoder.topic].add(len(records), len(fresh))
        if not fresh:
            return
        letters: list[DeadLetter] = [decoder.dead_letter(message, error) for message, error in fresh]
        for letter in letters:
            self._metrics.dead_letters.labels(letter.source_topic, letter.reason).inc()
        topic = self._config.topics.dead_letters
        future = self._output.submit([dead_letters(topic, letters)])
        try:
            future.result(timeout=self._config.stall_s)
        except TimeoutError:
            raise FatalError(f"dead letters of {decoder.topic} were not acknowledged") from None
        follower.mark_reported(records[0].partition(), records[-1].offset() + 1)


def _words(records_left: int | None) -> str:
    return "" if records_left is None else f" ({records_left:,} records to read)"
