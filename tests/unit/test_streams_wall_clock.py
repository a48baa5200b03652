"""How far the worker's clock is from the brokers'."""

from __future__ import annotations

import pytest

from streams.wall_clock import WallClock

NOW_S = 1_790_000_000.0
NOW_MS = int(NOW_S * 1000)


def clock(tolerated_s: float = 60.0) -> WallClock:
    return WallClock(tolerated_s, lambda: NOW_S)


@pytest.mark.parametrize(("ahead_s", "side"), [(3600, "3600 s ahead of"), (-3600, "3600 s behind")])
def test_a_clock_an_hour_off_is_noticed_where_nothing_waited(ahead_s: int, side: str) -> None:
    own = clock()
    for way_ms in (900, 20, 300):
        own.saw(NOW_MS - ahead_s * 1000 - way_ms)
    own.look(caught_up=True)
    assert own.ahead_s == pytest.approx(ahead_s + 0.02)
    assert side in own.warnings()[0]


def test_a_backlog_is_not_taken_for_a_clock_that_is_ahead() -> None:
    own = clock()
    own.saw(NOW_MS - 3_600_000)
    own.look(caught_up=False)
    assert (own.ahead_s, own.warnings()) == (0.0, [])


def test_a_clock_that_is_behind_is_sure_even_in_a_backlog() -> None:
    own = clock()
    own.saw(NOW_MS + 120_000)
    own.look(caught_up=False)
    assert own.ahead_s == -120
    assert own.warnings()


def test_a_clock_that_was_put_right_is_warned_of_no_more_and_without_news_the_last_word_stands() -> None:
    own = clock()
    own.saw(NOW_MS - 100_000)
    own.look(caught_up=True)
    own.look(caught_up=True)
    assert own.warnings()
    own.saw(NOW_MS - 5)
    own.look(caught_up=True)
    assert own.warnings() == []
