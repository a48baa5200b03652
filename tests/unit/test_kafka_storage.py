"""A node's data directory is what Kafka's tool makes, and the tool runs once on a machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.embedded.kafka import storage
from infra.embedded.kafka.properties import Node
from infra.embedded.kafka.storage import format_nodes

FEATURES = bytes(range(256))


class Tool:
    """Writes what Kafka's tool does, and takes note of whom for."""

    def __init__(self) -> None:
        self.ran: list[int] = []

    def __call__(self, node: Node, _jars: object, cluster_id: str, _java_options: object) -> None:
        self.ran.append(node.number)
        node.data.mkdir(parents=True)
        (node.data / "bootstrap.checkpoint").write_bytes(FEATURES)
        owner = f"#\nversion=1\ncluster.id={cluster_id}\nnode.id={node.number}\ndirectory.id=made-by-the-tool\n"
        (node.data / "meta.properties").write_text(owner)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Tool:
    found = Tool()
    monkeypatch.setattr(storage, "_run_tool", found)
    return found


@pytest.fixture
def jars(tmp_path: Path) -> list[Path]:
    home = tmp_path / "cache" / "kafka-1"
    home.mkdir(parents=True)
    return [home / "one.jar"]


def nodes(place: Path, count: int = 3) -> list[Node]:
    return [Node(number, 0, 0, place / f"broker-{number}") for number in range(1, count + 1)]


def owners(of: Sequence[Node]) -> list[dict[str, str]]:
    texts = [(node.data / "meta.properties").read_text() for node in of]
    return [dict(line.split("=") for line in text.splitlines() if not line.startswith("#")) for text in texts]


def test_the_tool_runs_for_the_first_node_and_every_other_gets_what_it_wrote_with_ids_of_its_own(
    tool: Tool, jars: list[Path], tmp_path: Path
) -> None:
    first, second = nodes(tmp_path / "first"), nodes(tmp_path / "second")
    format_nodes(first, jars, "a-cluster")
    format_nodes(second, jars, "another")
    assert tool.ran == [1]
    assert all((node.data / "bootstrap.checkpoint").read_bytes() == FEATURES for node in (*first, *second))
    found = owners(first) + owners(second)
    assert [each["node.id"] for each in found] == ["1", "2", "3"] * 2
    assert [each["cluster.id"] for each in found] == ["a-cluster"] * 3 + ["another"] * 3
    assert len({each["directory.id"] for each in found}) == 6
    assert all(each.keys() == found[0].keys() for each in found)


def test_a_directory_that_is_there_stays_as_it_is(tool: Tool, jars: list[Path], tmp_path: Path) -> None:
    (node,) = nodes(tmp_path, 1)
    format_nodes([node], jars, "a-cluster")
    before = owners([node])
    format_nodes([node], jars, "another")
    assert owners([node]) == before
    assert tool.ran == [1]


@pytest.mark.parametrize("damage", [b"", FEATURES, b"0" * 64 + b"\n" + FEATURES])
def test_what_was_kept_is_not_used_when_it_is_damaged(
    tool: Tool, jars: list[Path], tmp_path: Path, damage: bytes
) -> None:
    format_nodes(nodes(tmp_path / "first", 1), jars, "a-cluster")
    (kept,) = (path for path in (tmp_path / "cache").iterdir() if path.is_file())
    whole = kept.read_bytes()
    kept.write_bytes(damage)
    format_nodes(nodes(tmp_path / "second", 1), jars, "another")
    assert tool.ran == [1, 1]
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_the_tool_runs_once_a_cluster(tool: Tool, tmp_path: Path) -> None:
    jars = [tmp_path / "nowhere" / "kafka-1" / "one.jar"]
    for place in "first", "second":
        format_nodes(nodes(tmp_path / place), jars, place)
    assert tool.ran == [1, 1]


def test_a_directory_that_was_left_half_made_is_made_anew(tool: Tool, jars: list[Path], tmp_path: Path) -> None:
    format_nodes(nodes(tmp_path / "first", 1), jars, "a-cluster")
    (node,) = nodes(tmp_path / "second", 1)
    node.data.mkdir(parents=True)
    (node.data / "bootstrap.checkpoint").write_bytes(FEATURES[:7])
    format_nodes([node], jars, "another")
    assert (node.data / "bootstrap.checkpoint").read_bytes() == FEATURES
    assert owners([node])[0]["cluster.id"] == "another"
