"""Which dead letters are put back, and what of them may be seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.dead_letter import DeadLetter
from sinks.dead_letters.letters import Choice, Origin, StoredLetter
from sinks.dead_letters.marks import Mark, Marks
from sinks.dead_letters.plan import ALREADY, NO_KEY, OVERTAKEN, REPEATED, TOO_OFTEN, plan_replay
from sinks.dead_letters.safe_text import safe_text

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SCANS, STATUSES = "venue.scans.v1", "health.status.v1"


def letter(offset: int, *, topic: str = SCANS, at: int = 5, key: bytes | None = b"k") -> StoredLetter:
    return StoredLetter(0, offset, DeadLetter(key, b"{", topic, 0, at, "not_json", NOW.isoformat()))


def marks(*found: Mark) -> Marks:
    everything = Marks()
    for mark in found:
        everything.add(mark)
    return everything


def test_a_record_that_was_put_back_stays_unless_it_is_asked_for_again() -> None:
    before = marks(Mark(Origin(SCANS, 0, 5), Origin(SCANS, 0, 90), 1, NOW))
    plan = plan_replay([letter(1)], before, compacted=())
    assert not plan.candidates
    assert plan.skipped == {ALREADY: 1}
    again = plan_replay([letter(1)], before, compacted=(), again=True)
    assert [each.replays for each in again.candidates] == [2]


def test_a_dead_letter_that_was_written_twice_is_put_back_once() -> None:
    plan = plan_replay([letter(1), letter(2)], Marks(), compacted=())
    assert [each.stored.offset for each in plan.candidates] == [1]
    assert plan.skipped == {REPEATED: 1}


def test_a_record_that_fails_again_is_counted_and_given_up_after_three_times() -> None:
    """Each failure is a dead letter of a new origin; the marks connect them."""
    first = Mark(Origin(SCANS, 0, 5), Origin(SCANS, 0, 90), 1, NOW)
    second = Mark(Origin(SCANS, 0, 90), Origin(SCANS, 0, 95), 2, NOW)
    third = Mark(Origin(SCANS, 0, 95), Origin(SCANS, 0, 99), 3, NOW)
    plan = plan_replay([letter(7, at=95)], marks(first, second), compacted=())
    assert [each.replays for each in plan.candidates] == [3]
    plan = plan_replay([letter(8, at=99)], marks(first, second, third), compacted=())
    assert plan.skipped == {TOO_OFTEN: 1}


def test_a_record_never_overtakes_a_newer_one_of_its_key_on_a_compacted_topic() -> None:
    old, keyless, fine = (
        letter(1, topic=STATUSES, at=3),
        letter(2, topic=STATUSES, at=4, key=None),
        letter(3, topic=STATUSES, at=9),
    )
    plan = plan_replay([old, keyless, fine], Marks(), compacted={STATUSES}, overtaken={old.origin})
    assert [each.stored for each in plan.candidates] == [fine]
    assert plan.skipped == {OVERTAKEN: 1, NO_KEY: 1}


def test_a_mark_survives_its_topic() -> None:
    mark = Mark(Origin(SCANS, 3, 5), Origin(SCANS, 3, 90), 2, NOW)
    assert Mark.from_value(mark.value()) == mark
    assert mark.key() == b"venue.scans.v1/3/5"


@pytest.mark.parametrize(
    ("choice", "met"),
    [
        (Choice(), True),
        (Choice(reasons=frozenset({"not_json"})), True),
        (Choice(reasons=frozenset({"too_large"})), False),
        (Choice(topics=frozenset({STATUSES})), False),
        (Choice(partition=1), False),
        (Choice(since=NOW), True),
        (Choice(until=NOW), False),
        (Choice(places=frozenset({(0, 1)})), True),
        (Choice(places=frozenset({(0, 2)})), False),
    ],
)
def test_every_condition_of_a_choice_must_hold(choice: Choice, met: bool) -> None:
    assert choice.meets(letter(1)) is met


def test_a_strangers_bytes_neither_move_the_cursor_nor_show_a_person() -> None:
    raw = b'\x1b[2J{"person_token":"' + b"ab" * 16 + b'","x":"' + b"cd" * 10 + b'"}\n\xff\xe2\x80\xae'
    shown = safe_text(raw)
    assert shown.isprintable()
    assert "abab" not in shown
    assert "cdcd" not in shown
    assert "\\x1b[2J" in shown
    assert "\\xff" in shown
    assert "abab" in safe_text(raw, reveal=True)
    assert safe_text(raw, reveal=True).isprintable()
