"""Kafka's jars: pinned exactly, checked before they are run, and never asked for twice."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from infra.embedded.kafka import jars as jars_module
from infra.embedded.kafka.jars import cache_dir, ensure_jars, verify
from infra.embedded.kafka.pins import KAFKA_VERSION, PIN_FILE, Pin, read_pins, write_pins
from schemas.errors import ConfigurationError, RetryableError

CONTENTS = {"org.example:one:1.0": b"one", "org.example:two:2.0:linux": b"two"}


@pytest.fixture
def pins() -> list[Pin]:
    return [Pin(name, hashlib.sha256(content).hexdigest()) for name, content in CONTENTS.items()]


@pytest.fixture
def home(tmp_path: Path, pins: list[Pin]) -> Path:
    directory = tmp_path / "jars"
    directory.mkdir()
    for pin in pins:
        (directory / pin.file_name).write_bytes(CONTENTS[pin.coordinates])
    return directory


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_every_jar_is_pinned_to_one_version_and_hash_and_no_address_is_kept() -> None:
    pins = read_pins()
    names = [pin.coordinates for pin in pins]
    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in names
    assert len({tuple(name.split(":")[:2]) for name in names}) == len(names)
    assert all(re.fullmatch(r"[0-9a-f]{64}", pin.sha256) for pin in pins)
    assert not any(re.search(r"[\[\](),+]|SNAPSHOT|LATEST|RELEASE|MANAGED", name) for name in names)
    assert "/" not in PIN_FILE.read_text()


def test_all_of_kafka_is_of_one_version() -> None:
    versions = {pin.coordinates.split(":")[2] for pin in read_pins() if pin.coordinates.startswith("org.apache.kafka:")}
    assert versions == {KAFKA_VERSION}


def test_pins_are_read_as_they_were_written(tmp_path: Path, pins: list[Pin]) -> None:
    file = tmp_path / "pins"
    write_pins(pins, file)
    assert read_pins(file) == sorted(pins)


def test_a_line_that_is_no_pin_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pins"
    file.write_text(f"{'0' * 64}  a:b:1\nabc  a:b:1\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        read_pins(file)


def test_jars_as_pinned_make_the_class_path(home: Path, pins: list[Pin]) -> None:
    assert [path.name for path in verify(home, pins)] == ["one-1.0.jar", "two-2.0-linux.jar"]


def test_a_changed_jar_is_not_run_and_the_error_says_which_and_what_to_do(home: Path, pins: list[Pin]) -> None:
    (home / "one-1.0.jar").write_bytes(b"something else")
    with pytest.raises(ConfigurationError, match=r"one-1\.0\.jar was changed") as caught:
        verify(home, pins)
    assert pins[0].sha256 in str(caught.value)
    assert f"Remove {home}" in str(caught.value)


def test_a_missing_jar_is_named(home: Path, pins: list[Pin]) -> None:
    (home / "two-2.0-linux.jar").unlink()
    with pytest.raises(ConfigurationError, match=r"two-2\.0-linux\.jar is missing"):
        verify(home, pins)


def test_a_jar_that_is_not_kafkas_is_named(home: Path, pins: list[Pin]) -> None:
    (home / "three-3.jar").touch()
    with pytest.raises(ConfigurationError, match=r"three-3\.jar is not one of Kafka's"):
        verify(home, pins)


@pytest.mark.usefixtures("no_network")
def test_a_first_start_without_a_network_says_so_and_leaves_nothing_half_done(tmp_path: Path, pins: list[Pin]) -> None:
    directory = tmp_path / "cache" / "kafka"
    with pytest.raises(RetryableError, match="Maven Central did not give them"):
        ensure_jars(directory, pins)
    assert not directory.exists()
    assert [path.name for path in directory.parent.iterdir()] == [".kafka.lock"]


@pytest.mark.usefixtures("no_network")
def test_a_later_start_needs_no_network(home: Path, pins: list[Pin]) -> None:
    assert len(ensure_jars(home, pins)) == len(pins)


def test_a_jar_that_maven_central_changed_is_not_installed(
    tmp_path: Path, pins: list[Pin], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_content(names: list[str], repository: Path, on_jar: object) -> dict[str, Path]:
        repository.mkdir(parents=True)
        paths = {name: repository / name.replace(":", "-") for name in names}
        for path in paths.values():
            path.write_bytes(b"not what was committed")
        return paths

    monkeypatch.setattr("infra.embedded.kafka.resolve.download", other_content)
    with pytest.raises(ConfigurationError, match="was changed"):
        ensure_jars(tmp_path / "cache" / "kafka", pins)
    assert not (tmp_path / "cache" / "kafka").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, pins: list[Pin]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=jars_module.CACHE_VARIABLE):
        ensure_jars(tmp_path / "file" / "kafka", pins)


def test_the_cache_directory_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jars_module.CACHE_VARIABLE, str(tmp_path))
    assert cache_dir() == tmp_path
