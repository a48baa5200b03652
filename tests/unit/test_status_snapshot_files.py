"""Files of the status store's snapshots: spoilt, foreign, old, on a full disk, cut off while they are written."""

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

from schemas.errors import ConfigurationError
from tests.support.snapshot_place import HOUR_MS, TOPIC, Place
from tests.support.waiting import wait_until
from tests.support.worker_scans import token


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "snapshots")
    yield place
    place.snapshots.dropped(3)


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
