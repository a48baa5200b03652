"""`venuecode platform up|down|status` as a user calls it, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from confluent_kafka.admin import AdminClient

from infra.embedded.identity import identify
from infra.platform.health import report
from infra.platform.state import PlatformFiles
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]
ROOT = Path(__file__).parents[2]
ANY_PORTS = ("--kafka-port", "0", "--clickhouse-port", "0")

Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Verb]:
    """Runs `venuecode platform ...` against a data directory of its own, which is deleted in the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VENUECODE_")}
    environment |= {"VENUECODE_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200"}
    if "VENUECODE_CACHE_DIR" in os.environ:
        environment["VENUECODE_CACHE_DIR"] = os.environ["VENUECODE_CACHE_DIR"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "infra.cli.main", "platform", *arguments]
        return subprocess.run(
            argv,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    try:
        yield run
    finally:
        run("down", "--delete-data", "--yes")


def status(tmp_path: Path) -> dict[str, Any]:
    return report(PlatformFiles(tmp_path / "data")).as_json()


def processes(document: dict[str, Any]) -> list[Any]:
    pids = [document["supervisor_pid"], *(component["pid"] for component in document["components"])]
    return [identify(pid) for pid in pids]


def test_it_comes_up_with_topics_and_tables_stays_up_and_goes_down_without_a_trace(
    platform: Verb, tmp_path: Path
) -> None:
    up = platform("up", *ANY_PORTS)
    assert up.returncode == 0, up.stderr
    now = json.loads(platform("status", "--json").stdout)
    assert (now["condition"], now["healthy"], now["analysis"]) == ("running", True, False)
    assert [component["name"] for component in now["components"]] == ["kafka-1", "clickhouse"]
    assert all(Path(component["log"]).is_file() for component in now["components"])
    for name, value in now["environment"].items():
        assert f"export {name}={value}" in up.stdout
    topics = AdminClient({"bootstrap.servers": now["bootstrap_servers"]}).list_topics(timeout=10).topics
    assert "venue.scans.v1" in topics
    client = clickhouse_connect.get_client(host="127.0.0.1", port=now["clickhouse_port"], database="venuecode")
    assert "visits" in {row[0] for row in client.query("SHOW TABLES").result_rows}
    client.close()

    again = platform("up", *ANY_PORTS)
    assert again.returncode == 0, again.stderr
    assert "already running" in again.stdout
    assert status(tmp_path)["supervisor_pid"] == now["supervisor_pid"]

    running = processes(now)
    assert all(process.is_alive() for process in running)
    down = platform("down")
    assert (down.returncode, down.stdout.strip()) == (0, "The platform is stopped.")
    assert not any(process.is_alive() for process in running)
    after = platform("status")
    assert after.returncode == 0
    assert "stopped" in after.stdout

    assert platform("down", "--delete-data").returncode == 1  # nobody there to answer the question
    assert (tmp_path / "data").exists()
    assert platform("down", "--delete-data", "--yes").returncode == 0
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_named_with_its_option_and_nothing_is_left_running(platform: Verb, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = platform("up", "--kafka-port", "0", "--clickhouse-port", str(port))
    assert up.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in up.stderr
    assert "--clickhouse-port" in up.stderr
    assert status(tmp_path)["condition"] == "stopped"


def test_nothing_survives_a_killed_supervisor_and_up_starts_what_was_killed_again(
    platform: Verb, tmp_path: Path
) -> None:
    assert platform("up", *ANY_PORTS, "--analysis").returncode == 0
    now = status(tmp_path)
    running = processes(now)
    os.kill(now["supervisor_pid"], signal.SIGKILL)
    wait_until(lambda: not any(process.is_alive() for process in running), 20, "every server to be gone")

    killed = platform("status")
    assert killed.returncode == 1
    assert "killed" in killed.stdout
    assert "LIFTED" in killed.stdout
    ordinary = platform("up", *ANY_PORTS)
    assert ordinary.returncode == 1
    assert "--analysis" in ordinary.stderr

    up = platform("up", *ANY_PORTS, "--analysis")
    assert up.returncode == 0, up.stderr
    assert "LIFTED" in up.stdout
    now = status(tmp_path)
    assert (now["condition"], now["analysis"], now["retention_days"]) == ("running", True, None)
    assert now["environment"]["VENUECODE_RETENTION__ANALYSIS"] == "true"

    for name in ("clickhouse", "kafka-1"):
        server = next(component for component in status(tmp_path)["components"] if component["name"] == name)
        os.kill(server["pid"], signal.SIGKILL)
        wait_until(
            lambda name=name: any(each["name"] == name for each in status(tmp_path)["restarts"]),  # type: ignore[misc]
            20,
            "the supervisor to notice",
        )
        wait_until(lambda: status(tmp_path)["healthy"], 60, f"{name} to be back")
        again = next(component for component in status(tmp_path)["components"] if component["name"] == name)
        assert (again["port"], again["pid"] != server["pid"]) == (server["port"], True)
    told = platform("status")
    assert told.returncode == 0
    assert "clickhouse was started again once" in told.stdout
    assert "SIGKILL" in told.stdout
