"""The benchmark of contacts: the same city every time, room before work, differing answers told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from infra.bench.contacts.city import DAYS, City
from infra.bench.contacts.ground import ground, require_space
from infra.bench.contacts.questions import BULK_CASES, WINDOWS, draw, questions
from infra.bench.contacts.rows import RowMaker
from infra.bench.contacts.run import disagreements
from schemas.categories import builtin_categories
from schemas.errors import ConfigurationError

LAST_DAY_MS = 1_700_006_400_000


def a_city() -> City:
    return City(20_000, 7, LAST_DAY_MS)


def test_the_same_seed_makes_the_same_city_and_asks_the_same() -> None:
    one, other = a_city(), a_city()
    for ours, theirs in zip(one.days(), other.days(), strict=True):
        assert np.array_equal(ours.person, theirs.person)
        assert np.array_equal(ours.at_ms, theirs.at_ms)
    assert draw(one, 5) == draw(other, 5)


def test_a_city_has_about_as_many_visits_as_asked_for_within_its_days() -> None:
    days = list(a_city().days())
    assert len(days) == DAYS
    assert 18_000 < sum(map(len, days)) < 22_000
    assert all((np.diff(day.at_ms) >= 0).all() for day in days)
    assert days[-1].at_ms[-1] < LAST_DAY_MS + 86_400_000


def test_every_visit_has_an_identity_of_its_own() -> None:
    city = a_city()
    rows = RowMaker(city, {name: entry.default_stay_minutes for name, entry in builtin_categories().items()})
    seen: set[tuple[int, int]] = set()
    count = 0
    for visits in city.days():
        for table in rows.tables(visits):
            seen.update(zip(table["source_partition"].to_pylist(), table["source_offset"].to_pylist(), strict=True))
            count += table.num_rows
    assert len(seen) == count


def test_the_questions_are_about_as_many_cases_and_windows_as_they_say() -> None:
    sample = draw(a_city(), 5)
    assert len(set(sample.many)) == min(BULK_CASES, a_city().people)
    assert len(sample.windows) == WINDOWS
    assert [question.name for question in questions(sample)][-3:] == [
        "4,335 exposure windows",
        "4,335 windows, to the second",
        "4,335 windows, any stay",
    ]


def test_a_disk_that_is_too_small_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with (
        ground(10**12, 7, LAST_DAY_MS, tmp_path / "kept") as place,
        pytest.raises(ConfigurationError, match="GiB of disk"),
    ):
        require_space(place, ["clickhouse", "duckdb"])
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_is_kept_is_found_again_and_only_for_the_same_city(tmp_path: Path) -> None:
    with ground(20_000, 7, LAST_DAY_MS, tmp_path) as place:
        place.mark("duckdb", 1.25)
    with ground(20_000, 7, LAST_DAY_MS + 86_400_000, tmp_path) as place:
        assert place.loaded == {"duckdb": 1.2}
        assert place.last_day_ms == LAST_DAY_MS
    assert json.loads((tmp_path / "city.json").read_text())["visits"] == 20_000
    with pytest.raises(ConfigurationError, match="holds a city of 20,000"), ground(30_000, 7, LAST_DAY_MS, tmp_path):
        pass


def test_an_attempt_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "duckdb").mkdir()
    (tmp_path / "duckdb" / "half").touch()
    with ground(20_000, 7, LAST_DAY_MS, tmp_path) as place:
        assert not place.fresh("duckdb").exists()


def test_differing_answers_are_told_by_question_and_database() -> None:
    contents = {"A": {"q": [1, 2]}, "B": {"q": [1, 2]}, "C": {"q": [1, 3]}}
    assert disagreements(contents) == ["q: B and C differ in 1 of 2 answers"]
