"""Snapshots of the status store: used where nothing speaks against, ignored loudly and harmlessly otherwise."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from schemas.errors import ConfigurationError, RetryableError
from schemas.fast import epoch_ms
from streams.decide import StatusView
from streams.status_store import StatusStore
from streams.statuses.reading import Change
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import TopicIdentity
from tests.support.waiting import wait_until
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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "snapshots")
    yield place
    place.snapshots.dropped(3)


def test_a_restart_knows_what_was_saved_and_reads_on_from_there(place: Place) -> None:
    place.fill(200)
    before = place.views(210)
    place.snapshots.save_all()
    assert place.reopened().load(3, 0, 1500) == 1000
    assert place.views(210) == before
    assert len(place.store) == 200


def test_kinds_keep_their_meaning_in_a_store_that_numbers_them_otherwise(place: Place) -> None:
    place.fill(20)
    before = place.views(20)
    place.snapshots.save_all()
    place.reopened()
    place.store.open(1)
    place.store.apply(1, [(token(99), status(99, "yellow", moment()))])
    place.snapshots.load(3, 0, 1000)
    assert place.views(20) == before


def test_there_is_nothing_to_load_before_the_first_snapshot(place: Place) -> None:
    with capture_logs() as logs:
        assert place.snapshots.load(3, 0, 0) is None
    assert logs == []


def _truncated(place: Place) -> None:
    os.truncate(place.path, place.path.stat().st_size - 40)


def _empty(place: Place) -> None:
    place.path.write_bytes(b"")


def _another_version(place: Place) -> None:
    place.path.write_bytes(b"VCSTAT99" + place.path.read_bytes()[8:])


def _flipped(place: Place) -> None:
    content = bytearray(place.path.read_bytes())
    content[100] ^= 1
    place.path.write_bytes(content)


def _end_flipped(place: Place) -> None:
    content = bytearray(place.path.read_bytes())
    content[-30] ^= 1
    place.path.write_bytes(content)


def _middle_cut_out(place: Place) -> None:
    content = place.path.read_bytes()
    place.path.write_bytes(content[:1000] + content[2000:])


def _recreated_topic(place: Place) -> None:
    place.identity = replace(TOPIC, topic_id="another")


def _another_cluster(place: Place) -> None:
    place.identity = replace(TOPIC, cluster_id="another")


def _too_old(place: Place) -> None:
    place.now_ms += 12 * HOUR_MS + 1


def _from_the_future(place: Place) -> None:
    place.now_ms -= 1


def _tombstones_go_sooner(place: Place) -> None:
    place.identity = replace(TOPIC, tombstones_ms=HOUR_MS)
    place.now_ms += HOUR_MS // 2 + 1


def _of_another_partition(place: Place) -> None:
    place.path.rename(place.directory / "health.status.v1-3.other")
    place.store.open(4)
    place.snapshots.applied(4, 1000, 1000, 0)
    place.snapshots.caught_up(4, 1000)
    place.snapshots.save_all()
    (place.directory / "health.status.v1-4.statuses").rename(place.path)


@pytest.mark.parametrize(
    "spoil",
    [
        _truncated,
        _empty,
        _another_version,
        _flipped,
        _end_flipped,
        _middle_cut_out,
        _recreated_topic,
        _another_cluster,
        _too_old,
        _from_the_future,
        _tombstones_go_sooner,
        _of_another_partition,
    ],
)
def test_a_snapshot_that_something_speaks_against_is_ignored_loudly(
    place: Place, spoil: Callable[[Place], None]
) -> None:
    place.fill(100)
    place.snapshots.save_all()
    spoil(place)
    with capture_logs() as logs:
        assert place.reopened().load(3, 0, 1000) is None
    assert [entry["event"] for entry in logs] == ["status_snapshot_ignored"]
    assert logs[0]["log_level"] == "warning"
    assert len(place.store) == 0
    assert not any(token(n) in str(logs) for n in range(100))


@pytest.mark.parametrize(("low", "high"), [(1001, 2000), (0, 999)])
def test_a_snapshot_outside_the_offsets_of_the_topic_is_ignored(place: Place, low: int, high: int) -> None:
    place.fill(10)
    place.snapshots.save_all()
    with capture_logs() as logs:
        assert place.reopened().load(3, low, high) is None
    assert "offsets" in logs[0]["reason"]


def test_a_snapshot_is_usable_up_to_half_of_the_time_that_tombstones_are_kept(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    place.now_ms += 12 * HOUR_MS
    assert place.reopened().load(3, 0, 1000) == 1000


def test_a_store_that_was_behind_saves_the_time_at_which_it_was_not(place: Place) -> None:
    place.fill(10)
    place.now_ms += 11 * HOUR_MS
    place.snapshots.applied(3, 2000, 1000, 0)
    place.snapshots.save_all()
    place.now_ms += 2 * HOUR_MS
    with capture_logs() as logs:
        assert place.reopened().load(3, 0, 5000) is None, "the tombstones it has not read yet may be gone already"
    assert "erased" in logs[0]["reason"]


def test_nothing_is_saved_of_a_partition_that_was_never_caught_up(place: Place) -> None:
    place.store.apply(3, [(token(1), status(1, "red", moment()))])
    place.snapshots.applied(3, 5, 1, 0)
    place.snapshots.save_all()
    place.snapshots.step()
    assert list(place.directory.iterdir()) == []


def _somebody_again(place: Place, offset: int) -> bool:
    """A person of whom the snapshot tells a red status has a lower version now; whether the store can be kept."""
    renewed = place.store.apply(3, [(token(4), status(4, "green", moment(-30), version=1))])
    return place.snapshots.applied(3, offset + 1, 1, renewed)


def test_a_snapshot_is_given_up_when_a_tombstone_behind_it_may_have_been_compacted_away(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    assert place.reopened().load(3, 0, 1500) == 1000
    with capture_logs() as logs:
        assert not _somebody_again(place, 1004), "erased at one of four offsets that are gone, and registered again"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("status_snapshot_given_up", "warning")]
    assert place.reopened().load(3, 0, 1500) is None, "the topic is read from its start"


def test_a_snapshot_is_kept_while_no_offset_is_missing_or_nobody_known_has_another_status(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    place.reopened().load(3, 0, 1500)
    assert _somebody_again(place, 1000), "nothing was compacted: an older version came late"
    assert place.views(10)[4].version == 2
    place.reopened().load(3, 0, 1500)
    assert place.snapshots.applied(3, 1200, 100, place.store.apply(3, [(token(50), status(50, "red", moment()))]))
    assert not _somebody_again(place, 1200), "one after the other is as bad as both at once"


def test_nothing_is_saved_behind_missing_offsets_before_the_end_was_reached(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    place.reopened().load(3, 0, 1500)
    assert place.snapshots.applied(3, 1200, 100, 0), "nobody known has another status yet"
    place.now_ms += HOUR_MS
    place.snapshots.save_all()
    for _ in range(5):
        place.snapshots.step()
    place.snapshots.dropped(3)
    assert place.reopened().load(3, 0, 1500) == 1000, "whoever reads on meets the missing offsets again"
    place.snapshots.caught_up(3, 1500)
    place.snapshots.save_all()
    assert place.reopened().load(3, 0, 1500) == 1500


def test_what_is_missing_once_the_end_was_reached_speaks_against_nothing(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    place.reopened().load(3, 0, 1000)
    place.snapshots.caught_up(3, 1000)
    assert _somebody_again(place, 1004), "a reader that is there when they are written sees tombstones"


def test_without_the_ids_of_the_topic_no_snapshot_is_used_or_taken(place: Place) -> None:
    def refuse() -> TopicIdentity:
        raise RetryableError("not authorised")

    place.fill(10)
    place.snapshots.save_all()
    place.identify = refuse  # type: ignore[method-assign]
    with capture_logs() as logs:
        assert place.reopened().load(3, 0, 1000) is None
        place.fill(10, 2000)
        place.snapshots.save_all()
    assert [entry["event"] for entry in logs] == ["status_snapshot_ignored", "status_snapshot_not_written"]


def test_changes_between_two_slices_are_in_the_snapshot_or_are_read_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.statuses.snapshot_file._ROWS", 16)
    place.fill(100)
    place.snapshots.step()
    history: list[list[Change]] = [
        [(token(2), None), (token(90), None)],
        [(token(2), status(2, "yellow", moment(-30))), (token(101), status(101, "red", moment(-30)))],
        [(token(n), status(n, "green", moment(-10), version=3)) for n in (50, 95)],
        [(token(50), None)],
    ]
    for changes in history:
        place.snapshots.step()
        place.snapshots.step()
        place.store.apply(3, changes)
        place.snapshots.applied(3, 2000, 1000, 0)
    expected = place.views(110)
    while not place.path.exists():
        place.snapshots.step()
    assert place.reopened().load(3, 0, 2000) == 1000
    for changes in history:
        place.store.apply(3, changes)
    assert place.views(110) == expected
    assert len(place.store) == 99


def test_a_changed_partition_is_saved_again_when_it_is_due_and_one_unchanged_before_it_gets_too_old(
    place: Place,
) -> None:
    def steps() -> bool:
        place.path.unlink(missing_ok=True)
        for _ in range(5):
            place.snapshots.step()
        return place.path.exists()

    place.end = 1000
    place.fill(10)
    assert steps()
    place.now_ms += 599_000
    place.snapshots.applied(3, 1001, 1, 0)
    assert not steps(), "not due"
    place.now_ms += 1000
    assert steps()
    place.now_ms += HOUR_MS
    assert not steps(), "unchanged"
    place.now_ms += 6 * HOUR_MS
    assert steps(), "unchanged, and asked for its end it is known to be caught up now"
    place.now_ms += 11 * HOUR_MS
    assert place.reopened().load(3, 0, 1001) == 1001


def test_an_erased_person_is_gone_from_memory_at_once_and_from_the_file_with_the_next_snapshot(place: Place) -> None:
    place.fill(10)
    place.snapshots.save_all()
    secret = bytes.fromhex(token(4))
    assert secret in place.path.read_bytes()
    place.store.apply(3, [(token(4), None)])
    place.snapshots.applied(3, 1001, 1, 0)
    assert secret not in place.store.partition(3)._rows.words.tobytes()
    place.snapshots.save_all()
    assert secret not in place.path.read_bytes()


def test_only_the_owner_may_read_what_is_in_the_directory(place: Place) -> None:
    place.directory.chmod(0o755)
    place.reopened()
    place.fill(10)
    place.snapshots.save_all()
    assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600


def test_snapshots_too_old_to_be_used_are_deleted_whoever_took_them(place: Place) -> None:
    place.now_ms = int(place.directory.stat().st_mtime * 1000)
    old, foreign = place.directory / "health.status.v1-7.statuses", place.directory / "notes.txt"
    for path in (old, foreign):
        path.write_bytes(b"...")
    place.now_ms += 13 * HOUR_MS
    place.fill(10)
    place.snapshots.step()
    assert not old.exists()
    assert foreign.exists()


def test_a_disk_that_is_full_costs_the_snapshot_and_not_the_worker(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.fill(10)
    place.snapshots.save_all()
    before = place.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("streams.statuses.snapshot_file.SnapshotWriter._write", full)
        place.fill(20, 2000)
        place.snapshots.save_all()
    assert [entry["event"] for entry in logs] == ["status_snapshot_not_written"]
    assert place.path.read_bytes() == before
    assert list(place.directory.iterdir()) == [place.path]
    place.snapshots.save_all()
    assert place.reopened().load(3, 0, 2000) == 2000


def test_a_directory_that_cannot_be_used_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="VENUECODE_WORKER__SNAPSHOT_DIR"):
        Place(tmp_path / "file" / "snapshots")


def test_while_another_process_writes_the_same_snapshot_this_one_leaves_it_alone(place: Place) -> None:
    place.fill(10)
    with place.path.with_name(place.path.name + ".partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with capture_logs() as logs:
            place.snapshots.save_all()
        assert [entry["event"] for entry in logs] == ["status_snapshot_not_written"]
    place.fill(10, 1001)
    place.snapshots.save_all()
    assert place.path.exists()


_WRITES_FOR_EVER = """
import sys
from pathlib import Path
import numpy as np
from streams.status_store import StatusStore
from streams.statuses.packing import Statuses
from streams.statuses.reading import Change
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import TopicIdentity
store = StatusStore()
store.open(3)
store.kind_numbers.numbers([("red", ())])
one, at = np.ones(150_000, np.int64), np.full(150_000, 1_772_440_000_000)
keys = np.random.default_rng(1).integers(0, 2**64, (150_000, 2), dtype=np.uint64)
store.apply_columns(3, keys, Statuses(one, one, at, at + 10**9, at))
topic = TopicIdentity("cluster", "health.status.v1", "topic-id", 86_400_000)
snapshots = Snapshots(Path(sys.argv[1]), topic.topic, store, lambda: topic, lambda _: 0, 600, lambda: int(sys.argv[2]))
print("ready", flush=True)
for offset in range(1, 1_000_000):
    snapshots.caught_up(3, offset)
    snapshots.save_all()
"""


def test_killed_in_the_middle_of_writing_it_leaves_the_previous_snapshot_or_the_next(place: Place) -> None:
    partial = place.path.with_name(place.path.name + ".partial")
    for _ in range(2):
        command = [sys.executable, "-c", _WRITES_FOR_EVER, str(place.directory), str(place.now_ms)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            wait_until(place.path.exists, 20, "a first snapshot")
            wait_until(partial.exists, 20, "the next one to be under way")
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            if writer.stdout is not None:
                writer.stdout.close()
        assert place.reopened().load(3, 0, 1_000_000)
        assert len(place.store) == 150_000
        place.fill(5, 2_000_000)
        place.snapshots.save_all()
        assert place.reopened().load(3, 0, 2_000_000) == 2_000_000
        place.path.unlink()
