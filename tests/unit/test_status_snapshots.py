"""Snapshots of the status store: what is taken when, read on from, and given up; their files are looked at beside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from schemas.errors import RetryableError
from streams.statuses.reading import Change
from streams.statuses.topic_identity import TopicIdentity
from tests.support.snapshot_place import HOUR_MS, Place
from tests.support.worker_scans import moment, status, token


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
