"""Pictures show what the rows say, need no display, and fail with a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infra.plots.chain import chain_graph
from infra.plots.figure import checked_path, drawable, save
from infra.plots.timeline import timeline
from schemas.errors import ConfigurationError
from sinks.clickhouse.queries import Meeting, Scan
from sinks.clickhouse.tracing import Link

MIDNIGHT = datetime(2026, 3, 7, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def scan(hours: float, until: float | None, venue: str, dwell: str = "explicit", name: str = "") -> Scan:
    left_at = None if until is None else at(until)
    direction = "leave" if until is None else "enter"
    return Scan(
        at(hours), left_at, dwell, direction, venue, name, "", "", "", "", "", "", "", "green", "admit", "phone", []
    )


def meeting(begin: float, end: float, venue: str) -> Meeting:
    seconds = int((end - begin) * 3600)
    return Meeting("b" * 32, venue, venue, "", "", "", at(begin), at(end), seconds * 1000, "explicit", "default")


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_a_day_is_drawn_with_a_bar_for_each_stay_and_a_line_for_each_meeting(tmp_path: Path, ending: str) -> None:
    scans = [scan(1, 3, "V-1", name="Market"), scan(3, None, "V-1"), scan(4, 9, "V-2", "default"), scan(9, 10, "V-1")]
    figure = timeline(scans, [meeting(1, 2, "V-1"), meeting(5, 6, "V-9")], at(0), at(24), ZONE)
    (axes,) = figure.axes
    assert len(axes.patches) == 3
    assert len(axes.lines) == 1, "a meeting at a place the picture does not have is not drawn"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["V-2", "Market"]
    save(figure, tmp_path / f"day{ending}")
    data = (tmp_path / f"day{ending}").read_bytes()
    assert data.startswith(b"\x89PNG" if ending == ".png" else b"<?xml")
    assert b"b" * 32 not in data


def test_the_same_answer_makes_the_same_svg(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        save(timeline([scan(1, 3, "V-1")], [], at(0), at(24), ZONE), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_nobody_seen_is_drawn_as_well(tmp_path: Path) -> None:
    save(timeline([], [], at(0), at(24), ZONE), tmp_path / "empty.svg")
    assert (tmp_path / "empty.svg").stat().st_size > 0


def test_a_name_without_letters_in_any_font_here_gives_way_to_the_id() -> None:
    assert drawable("\ue000", "V-1") == "V-1"
    assert drawable("", "V-1") == "V-1"
    assert drawable("Café", "V-1") == "Café"


@pytest.mark.parametrize("name", ["day.pdf", "day", "missing/day.svg"])
def test_a_file_that_cannot_be_is_refused_before_anything_is_asked(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        checked_path(tmp_path / name)


def test_a_chain_is_drawn_with_a_line_for_each_link_and_nobody_named_in_full(tmp_path: Path) -> None:
    first, second = "b" * 32, "c" * 32
    links = [
        Link(1, first, "", 60, at(1), at(2), ["best"], ["best"]),
        Link(2, second, first, 60, at(3), at(4), ["best"], ["best"]),
    ]
    figure = chain_graph(links, ZONE)
    (axes,) = figure.axes
    assert len(axes.lines) == 2
    assert [label.get_text() for label in axes.get_xticklabels()][1:] == ["contacts: 1", "contacts of contacts: 1"]
    save(figure, tmp_path / "chain.svg")
    assert first not in (tmp_path / "chain.svg").read_text()
    save(chain_graph([], ZONE), tmp_path / "nobody.png")
