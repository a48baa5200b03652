"""Brokers: settings that keep them on loopback, and errors that say why one did not start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.kafka.diagnosis import PortTakenError, explain, log_size
from infra.embedded.kafka.java import java_environment, java_program
from infra.embedded.kafka.ports import answers, free_ports, require_free
from infra.embedded.kafka.properties import Node, escaped, server_properties
from schemas.errors import ConfigurationError, FatalError


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(1, 19092, 19093, tmp_path)


def settings(nodes: list[Node]) -> dict[str, str]:
    lines = server_properties(nodes[0], nodes).splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_brokers_and_controllers_listen_on_loopback_only(node: Node) -> None:
    values = settings([node])
    for name in ("listeners", "advertised.listeners"):
        assert all("://127.0.0.1:" in listener for listener in values[name].split(","))
    assert values["controller.quorum.voters"] == "1@127.0.0.1:19093"


@pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_internal_topics_survive_a_broker_when_there_are_three(
    tmp_path: Path, brokers: int, replicas: str, in_sync: str
) -> None:
    values = settings([Node(number, 19000 + number, 19100 + number, tmp_path) for number in range(1, brokers + 1)])
    for topic in ("offsets.topic", "transaction.state.log"):
        assert values[f"{topic}.replication.factor"] == replicas
    assert values["transaction.state.log.min.isr"] == in_sync
    assert values["min.insync.replicas"] == in_sync


def test_a_misspelt_topic_is_not_created(node: Node) -> None:
    assert settings([node])["auto.create.topics.enable"] == "false"


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        ("java.io.IOException: No space left on device", ConfigurationError, "disk under .* is full"),
        ("Caused by: java.net.BindException: Address already in use", PortTakenError, "port 19092 or 19093 is taken"),
        ("java.lang.RuntimeException: Invalid cluster.id in: meta.properties", ConfigurationError, "another cluster"),
        ("KafkaException: Failed to acquire lock on file .lock in", ConfigurationError, "another Kafka still uses"),
        ("java.lang.IllegalStateException: something new", FatalError, "ended with exit code 1"),
    ],
)
def test_the_reason_is_read_from_the_log(node: Node, line: str, kind: type[FatalError], says: str) -> None:
    node.log.write_text(f"{line}\n")
    error = explain(node, "ended with exit code 1")
    assert type(error) is kind
    with pytest.raises(kind, match=says):
        raise error
    assert str(node.log) in str(error)
    assert str(error).endswith(line)


def test_only_the_last_lines_of_this_run_are_shown(node: Node) -> None:
    node.log.write_text("No space left on device\n")
    began = log_size(node)
    with node.log.open("a") as log:
        log.writelines(f"line {number}\n" for number in range(100))
    text = str(explain(node, "ended", began))
    assert "is full" not in text
    assert "line 99" in text
    assert "line 50" not in text


def test_what_the_java_machine_printed_is_shown_when_kafka_logged_nothing(node: Node) -> None:
    node.output.write_text("Error: Could not find or load main class\n")
    assert "Could not find or load main class" in str(explain(node, "ended with exit code 1"))


def test_a_taken_port_is_named_with_the_option_that_chooses_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert answers(port)
        with pytest.raises(PortTakenError, match=rf"port {port} .* choose another with --kafka-port"):
            require_free(port, "--kafka-port")


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    for port in ports:
        require_free(port, "--kafka-port")


def test_a_path_in_any_script_is_written_as_java_reads_it() -> None:
    assert escaped("/home/张 x\\y😀") == r"/home/\u5f20 x\\y\ud83d\ude00"


def test_a_path_with_a_comma_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="comma"):
        EmbeddedKafka(tmp_path / "a,b")


@pytest.mark.parametrize("brokers", [0, 2, 4])
def test_a_cluster_has_one_broker_or_three(tmp_path: Path, brokers: int) -> None:
    with pytest.raises(ConfigurationError, match="must be 1 or 3"):
        EmbeddedKafka(tmp_path, brokers=brokers)


def test_java_is_the_wheels_own_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1m")
    assert java_program().is_file()
    assert "JAVA_TOOL_OPTIONS" not in java_environment()
