"""What the demo counts, concludes and draws."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.demo.children import EventTail
from infra.demo.display import draw, level_text
from infra.demo.state import Case, DemoState, PlannedMeeting, percentile
from infra.supervision import Restarted

INDEX, FRIEND, OTHER = "a" * 32, "b" * 32, "c" * 32


def finished_state(found: dict[str, int] | None) -> DemoState:
    state = DemoState(scans_sent=10, visits_stored=10)
    meetings = (PlannedMeeting(FRIEND, "V1", 600), PlannedMeeting(FRIEND, "V2", 60))
    state.cases.append(Case(INDEX, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", meetings, found=found))
    return state


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_percentile_is_a_value_that_at_least_its_share_of_the_values_do_not_exceed(
    values: list[float], share: float
) -> None:
    ordered = sorted(values)
    result = percentile(ordered, share)
    assert result in values
    assert sum(value <= result for value in ordered) >= share * len(ordered) - 1e-6
    assert sum(value < result for value in ordered) < share * len(ordered) + 1e-6


def test_a_dead_letter_too_many_is_a_problem_unless_something_was_killed() -> None:
    state = DemoState(bad_sent=5, dead_letters=6)
    assert not state.bad_are_set_aside()
    state.restarts = {"worker": Restarted(1, "was ended by SIGKILL")}
    assert state.bad_are_set_aside()
    state.dead_letters = 4
    assert not state.bad_are_set_aside()


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile([], 0.5) is None


def test_a_run_in_which_everything_agrees_has_no_problems() -> None:
    state = finished_state({FRIEND: 660})
    assert state.problems() == []
    assert state.summary()["contacts_expected"] == state.summary()["contacts_found"] == 1


@pytest.mark.parametrize(
    ("found", "word"),
    [({}, "not found"), (None, "not found"), ({FRIEND: 660, OTHER: 5}, "never met"), ({FRIEND: 600}, "length")],
)
def test_a_wrong_answer_about_contacts_is_a_problem(found: dict[str, int] | None, word: str) -> None:
    assert any(word in problem for problem in finished_state(found).problems())


def test_a_scan_that_is_not_stored_is_a_problem() -> None:
    state = finished_state({FRIEND: 660})
    state.scans_sent += 1
    assert any("11 scans were sent and 10 visits are stored" in problem for problem in state.problems())


def test_a_bad_record_that_is_not_in_the_dead_letters_is_a_problem() -> None:
    state = finished_state({FRIEND: 660})
    state.bad_sent = 1
    assert any("dead letters" in problem for problem in state.problems())


def test_a_run_without_a_finished_case_shows_nothing_and_says_so() -> None:
    assert any("too short" in problem for problem in DemoState().problems())


@pytest.mark.parametrize("level", ["red", "yellow", "review"])
def test_every_colour_is_also_a_word(level: str) -> None:
    assert any(word in level_text(level).plain for word in ("RED", "YELLOW", "CHECK"))


def test_the_screen_shows_planted_and_found_contacts_side_by_side_and_no_whole_token() -> None:
    console = Console(file=io.StringIO(), width=118)
    console.print(draw(finished_state({FRIEND: 660, OTHER: 5})))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "11 min 00 s" in shown
    assert "never met" in shown
    assert FRIEND not in shown


def test_events_are_read_once_and_only_when_their_line_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "city.log"
    tail = EventTail(log)
    assert list(tail.new_events()) == []
    log.write_bytes(b'some words\n{"event": "venues", "count": 3}\n{"event": "st')
    assert list(tail.new_events()) == [{"event": "venues", "count": 3}]
    with log.open("ab") as more:
        more.write(b'atuses", "count": 4}\n')
    assert list(tail.new_events()) == [{"event": "statuses", "count": 4}]
