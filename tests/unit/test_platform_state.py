"""What a platform says of itself: state files, modes, and what may be deleted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from infra.embedded.identity import ProcessIdentity, identify
from infra.platform import control
from infra.platform.health import report, variables
from infra.platform.state import Component, PlatformFiles, PlatformState
from schemas.errors import ConfigurationError, FatalError

GONE = ProcessIdentity(os.getpid(), "long ago")


@pytest.fixture
def own() -> ProcessIdentity:
    identity = identify(os.getpid())
    assert identity is not None
    return identity


@pytest.fixture
def files(tmp_path: Path) -> PlatformFiles:
    return PlatformFiles(tmp_path)


@pytest.fixture
def state(own: ProcessIdentity) -> PlatformState:
    return PlatformState(
        supervisor=own,
        phase="running",
        since="2026-01-01T00:00:00+00:00",
        brokers=1,
        analysis=False,
        retention_days=14,
        bootstrap_servers="127.0.0.1:9092",
        clickhouse_port=8123,
        components=(Component("kafka-1", GONE, "127.0.0.1:9092", "/d", "/l"),),
    )


def test_a_state_is_read_as_it_was_written(files: PlatformFiles, state: PlatformState) -> None:
    files.write(state)
    assert files.read() == state


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"supervisor": {"pid": 1}}', '{"components": 1}'])
def test_a_state_file_that_is_none_counts_as_no_platform(files: PlatformFiles, content: str) -> None:
    files.state.write_text(content)
    assert files.read() is None
    assert report(files).condition == "stopped"


def test_a_platform_that_was_never_started_is_as_it_should_be(files: PlatformFiles) -> None:
    now = report(files)
    assert (now.condition, now.as_it_should_be, now.healthy) == ("stopped", True, False)


def test_a_state_whose_process_id_is_now_another_process_is_a_killed_platform(
    files: PlatformFiles, state: PlatformState
) -> None:
    files.write(replace(state, supervisor=GONE))
    now = report(files)
    assert (now.condition, now.as_it_should_be, now.running) == ("killed", False, False)


def test_a_server_that_ended_is_a_degraded_platform(files: PlatformFiles, state: PlatformState) -> None:
    files.write(state)
    now = report(files)
    assert (now.condition, now.as_it_should_be) == ("degraded", False)
    document = now.as_json()
    assert document["components"][0] == {
        "name": "kafka-1",
        "healthy": False,
        "pid": GONE.pid,
        "address": "127.0.0.1:9092",
        "port": 9092,
        "since": state.since,
        "data_dir": "/d",
        "log": "/l",
    }


def test_down_removes_what_a_killed_platform_left(files: PlatformFiles, state: PlatformState) -> None:
    files.write(replace(state, supervisor=GONE))
    assert control.down(files.data_dir) is False
    assert report(files).condition == "stopped"


def test_down_without_a_directory_creates_none(tmp_path: Path) -> None:
    assert control.down(tmp_path / "nothing") is False
    assert not (tmp_path / "nothing").exists()


def test_usual_addresses_need_no_variables(state: PlatformState) -> None:
    assert variables(state) == {}


def test_other_addresses_and_modes_are_told_as_variables(state: PlatformState, monkeypatch: pytest.MonkeyPatch) -> None:
    # What this shell is set to says nothing about the next one.
    monkeypatch.setenv("VENUECODE_CLICKHOUSE__PORT", "8124")
    other = replace(state, clickhouse_port=8124, bootstrap_servers="127.0.0.1:1", analysis=True, brokers=3)
    assert variables(other) == {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "VENUECODE_KAFKA__REPLICATION_FACTOR": "3",
        "VENUECODE_CLICKHOUSE__PORT": "8124",
        "VENUECODE_RETENTION__ANALYSIS": "true",
    }


def test_historical_files_are_not_deleted_by_starting_their_platform_as_an_ordinary_one(files: PlatformFiles) -> None:
    files.analysis_mark.touch()
    with pytest.raises(ConfigurationError, match="Start it with --analysis"):
        control.up(control.PlatformOptions(files.data_dir))
    assert report(files).as_json()["analysis"] is True


def test_deleting_data_leaves_what_is_not_the_platforms(files: PlatformFiles) -> None:
    for name in ("kafka", "clickhouse", "holiday"):
        (files.data_dir / name).mkdir()
    files.analysis_mark.touch()
    control.delete_data(files.data_dir)
    assert [path.name for path in files.data_dir.iterdir()] == ["holiday"]


def test_deleting_data_removes_the_directory_when_nothing_else_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "platform" / "kafka").mkdir(parents=True)
    control.delete_data(tmp_path / "platform")
    assert not (tmp_path / "platform").exists()


def test_the_data_of_a_running_platform_is_not_deleted(files: PlatformFiles, state: PlatformState) -> None:
    files.write(state)
    (files.data_dir / "kafka").mkdir()
    with pytest.raises(FatalError, match="stop it first"):
        control.delete_data(files.data_dir)
    assert (files.data_dir / "kafka").exists()


def test_deleting_data_deletes_the_snapshots_of_the_status_store_wherever_they_are(
    files: PlatformFiles, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "statuses"
    elsewhere.mkdir(parents=True)
    for name in ("health.status.v1-0.statuses", "health.status.v1-1.statuses.partial"):
        (elsewhere / name).touch()
    control.delete_data(files.data_dir, elsewhere)
    assert not elsewhere.exists()
    control.delete_data(files.data_dir, elsewhere)
