"""The data directory of an embedded Kafka: one cluster at a time, and only its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from infra.embedded.kafka.directory import ClusterMark, DataDirectory
from schemas.errors import ConfigurationError


def opened(path: Path, brokers: int = 1) -> ClusterMark:
    directory = DataDirectory(path, min_free_bytes=0)
    try:
        return directory.open(brokers)
    finally:
        directory.close()


def test_a_directory_stays_that_of_its_cluster(tmp_path: Path) -> None:
    first = opened(tmp_path / "a")
    assert opened(tmp_path / "a") == first
    assert opened(tmp_path / "b").cluster_id != first.cluster_id


def test_a_cluster_id_is_one_that_kafkas_tools_take() -> None:
    for _ in range(200):
        identifier = ClusterMark.new(1).cluster_id
        assert len(identifier) == 22
        assert not identifier.startswith("-")


def test_a_second_start_is_refused_and_names_the_first(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path, min_free_bytes=0)
    first.open(1)
    with pytest.raises(ConfigurationError, match=rf"already runs on .* \(started by process {os.getpid()}\)"):
        opened(tmp_path)
    first.close()
    opened(tmp_path)


def test_somebody_elses_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ConfigurationError, match=r"holds something else \(such as 'thesis.tex'\)"):
        opened(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", ".lock"}


def test_another_number_of_brokers_is_refused(tmp_path: Path) -> None:
    opened(tmp_path, 3)
    with pytest.raises(ConfigurationError, match="--brokers 3"):
        opened(tmp_path, 1)


def test_the_data_of_another_cluster_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    properties = tmp_path / "broker-1" / "data" / "meta.properties"
    properties.parent.mkdir(parents=True)
    properties.write_text("version=1\ncluster.id=another\nnode.id=1\n")
    with pytest.raises(ConfigurationError, match=r"belongs to another cluster \(another"):
        opened(tmp_path)


def test_the_data_of_a_newer_kafka_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    mark = json.loads((tmp_path / "cluster.json").read_text())
    (tmp_path / "cluster.json").write_text(json.dumps({**mark, "kafka_version": "5.0.0"}))
    with pytest.raises(ConfigurationError, match=r"written by Kafka 5\.0\.0"):
        opened(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"cluster_id": "a", "brokers": 1, "colour": "red"}'])
def test_a_damaged_mark_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "cluster.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"cluster\.json is damaged"):
        opened(tmp_path)


def test_a_disk_that_is_nearly_full_is_told_before_the_start(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path, min_free_bytes=shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(ConfigurationError, match="nearly full"):
        directory.open(1)
    opened(tmp_path)


def test_a_path_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file/data cannot be used"):
        opened(tmp_path / "file" / "data")
