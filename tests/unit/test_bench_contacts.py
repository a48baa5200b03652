"""The benchmark of contacts: the same city every time, room before work, differing answers told."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from infra.bench.contacts import measure as measuring
from infra.bench.contacts import run as running
from infra.bench.contacts.city import DAYS, City
from infra.bench.contacts.engines.base import Answer, Engine, Unanswerable
from infra.bench.contacts.ground import Ground, ground, require_space
from infra.bench.contacts.measure import Measured, measure
from infra.bench.contacts.questions import BULK_CASES, WINDOWS, Call, Question, draw, questions
from infra.bench.contacts.rows import RowMaker
from infra.bench.contacts.run import disagreements
from infra.bench.contacts.tables import WRITING, answer_columns, answer_rows, notes
from infra.bench.report import Document
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


def test_a_database_that_was_asked_fewer_times_is_compared_as_far_as_it_answered() -> None:
    assert disagreements({"A": {"q": [1, 2, 3]}, "B": {"q": [1]}}) == []
    assert disagreements({"A": {"q": [2]}, "B": {"q": [1, 2]}}) == ["q: A and B differ in 1 of 1 answers"]
    of_three: dict[str, dict[str, list[Hashable]]] = {"A": {"q": [1, 2]}, "B": {"q": [1]}, "C": {"q": [1, 3]}}
    assert disagreements(of_three) == ["q: A and C differ in 1 of 2 answers"]
    without_second: dict[str, dict[str, list[Hashable]]] = {"A": {"q": [1]}, "B": {}, "C": {"q": [2]}}
    assert disagreements(without_second) == ["q: A and C differ in 1 of 1 answers"]


class SlowDatabase:
    """Takes as long as it is told for each answer, by a clock of its own.

    Only what `measure` itself asks of a database; a question's call is `answer`.
    """

    name = "Slow"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(measuring, "perf_counter", lambda: self.now)

    def answer(self, seconds: float) -> Answer:
        self.now += seconds
        return Answer(3, lambda: "the same")

    def drop_caches(self) -> None:
        self.now += 1

    def another(self) -> SlowDatabase:
        return self

    def close(self) -> None:
        """Nothing to let go of."""


def asked(database: SlowDatabase, seconds: float, calls: int, patience: float) -> Measured:
    found = Measured()
    question = Question("q", tuple(lambda engine: engine.answer(seconds) for _ in range(calls)))  # type: ignore[attr-defined]
    measure(cast(Engine, database), [question], lambda _: None, found, patience)
    return found


def calls_by_way(found: Measured) -> dict[str, int]:
    return {entry["how"]: entry["asked"] for entry in found.answers}


def test_a_question_is_asked_all_its_calls_in_every_way_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(SlowDatabase(monkeypatch), 0.5, 20, patience=60)
    assert calls_by_way(found) == {"cold": 5, "warm": 20, "8 at once": 20}
    assert found.contents == {"q": ["the same"] * 20}
    assert found.left_out == []


def test_between_the_cold_calls_and_the_warm_ones_every_call_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    database, log = SlowDatabase(monkeypatch), list[str]()
    monkeypatch.setattr(database, "drop_caches", lambda: log.append("emptied"))

    def call(name: str) -> Call:
        def ask(_: Engine) -> Answer:
            log.append(name)
            return Answer(1, lambda: name)

        return ask

    measure(cast(Engine, database), [Question("q", (call("a"), call("b")))], lambda _: None, Measured(), 60)
    emptied = len(log) - log[::-1].index("emptied")
    assert log[:emptied] == ["a", "emptied", "a", "emptied"]
    assert log[emptied : emptied + 5] == ["b", "a", "b", "a", "b"]


def test_a_slow_question_is_asked_as_often_as_there_is_time_for_and_not_by_several_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = asked(SlowDatabase(monkeypatch), 25, 20, patience=60)
    assert calls_by_way(found) == {"cold": 3, "warm": 3}
    assert found.left_out == ["q: 3 calls took 75 s, so not 8 at once"]


def test_a_question_whose_first_answer_takes_longer_than_there_is_time_for_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = asked(SlowDatabase(monkeypatch), 90, 20, patience=60)
    assert found.answers == [
        {"question": "q", "how": "once", "p50_ms": 90_000.0, "p95_ms": 90_000.0, "rows": 3, "asked": 1}
    ]
    assert found.left_out == ["q: asked once, an answer took 90 s"]


class Interrupted:
    """In the place of a database: is interrupted, or fails, while it is asked the second question."""

    def __init__(self, name: str, ending: BaseException | None) -> None:
        self.name, self._ending = name, ending
        self.closed = False

    def visits(self) -> int:
        return 10

    def disk_bytes(self) -> int:
        return 1000

    def know(self, *_: object) -> None:
        """Nothing to know."""

    def trajectory(self, *_: object) -> Answer:
        return Answer(1, lambda: 1)

    def stays(self, *_: object) -> Answer:
        if self._ending is not None:
            raise self._ending
        return Answer(1, lambda: 1)

    def drop_caches(self) -> None:
        """There are none."""

    def another(self) -> Interrupted:
        return Interrupted(self.name, self._ending)

    def close(self) -> None:
        self.closed = True

    def __getattr__(self, _: str) -> object:
        def unanswerable(*_: object, **__: object) -> Answer:
            raise Unanswerable

        return unanswerable


def run(monkeypatch: pytest.MonkeyPatch, **endings: BaseException | None) -> tuple[Document, list[Interrupted]]:
    opened: list[Interrupted] = []

    def opener(name: str, place: Ground, _: object) -> Interrupted:
        place.loaded[name] = 1.0
        opened.append(Interrupted(name, endings[name]))
        return opened[-1]

    monkeypatch.setattr(running, "open_engine", opener)
    found = running.run_contacts_bench(20_000, 2, list(endings), 0, 60, None, lambda *_: None)
    return found, opened


def test_a_benchmark_that_is_broken_off_keeps_what_it_measured_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    found, opened = run(monkeypatch, clickhouse=KeyboardInterrupt(), duckdb=None)
    assert [(each["engine"], each["question"]) for each in found["answers"]] == [("clickhouse", "trajectory")] * 3
    assert found["broken_off"] == "clickhouse: stays of one person"
    assert "broken off: clickhouse: stays of one person" in notes(found)
    assert [each.closed for each in opened] == [True]


def test_a_table_has_a_row_a_question_and_database_and_a_column_a_way_of_asking() -> None:
    def answer(engine: str, how: str, p50: float) -> dict[str, object]:
        return {"engine": engine, "question": "q", "how": how, "p50_ms": p50, "p95_ms": 2 * p50, "rows": 1000}

    found = {"answers": [answer("A", "warm", 10.0), answer("A", "while writing", 15.0), answer("B", "once", 90_000.0)]}
    assert answer_columns(found) == ("question", "database", "rows", "warm", "while writing", "once", WRITING)
    assert list(answer_rows(found)) == [
        ("q", "A", "1,000", "10.0 / 20.0", "15.0 / 30.0", "", "1.50"),
        ("q", "B", "1,000", "", "", "90,000 / 180,000", ""),
    ]


def test_a_database_that_fails_does_not_keep_the_others_from_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found, opened = run(monkeypatch, clickhouse=MemoryError("a token"), duckdb=None)
    assert found["failed"] == {"clickhouse": "clickhouse: stays of one person: MemoryError"}
    assert {each["question"] for each in found["answers"] if each["engine"] == "duckdb"} == {
        "trajectory",
        "stays of one person",
    }
    assert [each.closed for each in opened] == [True, True]
