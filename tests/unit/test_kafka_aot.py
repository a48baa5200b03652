"""What makes brokers start sooner is never in the way of a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.kafka import aot
from infra.embedded.kafka.diagnosis import PortTakenError
from schemas.errors import FatalError


@pytest.fixture
def jars(tmp_path: Path) -> list[Path]:
    home = tmp_path / "cache" / "kafka-1"
    home.mkdir(parents=True)
    return [home / "one.jar", home / "two.jar"]


def test_the_second_start_makes_it_and_later_ones_find_it(jars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def run(_jars: object, _directory: Path, file: Path) -> None:
        file.write_text("classes")
        made.append(file)

    monkeypatch.setattr(aot, "_run_broker", run)
    first, second, third = aot.ensure_cache(jars), aot.ensure_cache(jars), aot.ensure_cache(jars)
    assert first is None
    assert second is not None
    assert second == third
    assert second.read_text() == "classes"
    assert len(made) == 1
    assert {path.name for path in second.parent.iterdir()} == {"kafka-1", second.name, f".{second.name}.lock"}


def test_where_a_broker_cannot_make_it_it_is_tried_once_and_brokers_start_without(
    jars: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def run(_jars: object, _directory: Path, file: Path) -> None:
        file.write_text("half a ca")
        tried.append(file)
        raise FatalError("the broker ended")

    monkeypatch.setattr(aot, "_run_broker", run)
    assert [aot.ensure_cache(jars) for _ in range(4)] == [None] * 4
    assert len(tried) == 1


def test_a_port_that_somebody_took_by_chance_is_tried_again(jars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(_jars: object, _directory: Path, _file: Path) -> None:
        raise PortTakenError("somebody listens there")

    monkeypatch.setattr(aot, "_run_broker", taken)
    assert [aot.ensure_cache(jars) for _ in range(3)] == [None] * 3
    monkeypatch.setattr(aot, "_run_broker", lambda _jars, _directory, file: file.write_text("classes"))
    assert aot.ensure_cache(jars) is not None


def test_a_cache_directory_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert aot.ensure_cache([tmp_path / "file" / "kafka-1" / "one.jar"]) is None
