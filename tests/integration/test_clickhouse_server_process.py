"""The ClickHouse server as a process: its end, its directory, its port, its credentials."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import psutil
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.embedded.clickhouse import EmbeddedClickHouse
from schemas.errors import FatalError
from tests.support.clickhouse_http import ask, connection
from tests.support.waiting import wait_until

pytestmark = pytest.mark.clickhouse

Start = Callable[..., EmbeddedClickHouse]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers on the test's directory; none outlives the test."""
    started = []

    def one(**options: object) -> EmbeddedClickHouse:
        server = EmbeddedClickHouse(tmp_path / "data", **{"port": 0, **options})  # type: ignore[arg-type]
        started.append(server)
        return server.start()

    yield one
    for server in started:
        server.kill()


def _write(server: EmbeddedClickHouse, turn: int) -> int:
    rows = b"".join(b'{"n":%d}\n' % (turn * 1000 + number) for number in range(1000))
    answer = ask(server.host, server.port, "INSERT INTO d.t FORMAT JSONEachRow", body=rows)
    assert answer.status == 200, answer.body
    return int(json.loads(answer.headers["x-clickhouse-summary"])["written_rows"])


def test_acknowledged_rows_survive_kill_9(start: Start) -> None:
    server = start()
    ask(server.host, server.port, "CREATE DATABASE d ENGINE = Atomic")
    ask(server.host, server.port, "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    acknowledged = 0
    for _ in range(3):
        begun = acknowledged

        def write(turn: int, server: EmbeddedClickHouse = server) -> int:
            try:
                return _write(server, turn)
            except OSError:
                return 0

        with ThreadPoolExecutor(4) as pool:
            turns = [pool.submit(write, begun + number) for number in range(200)]
            wait_until(lambda turns=turns: sum(turn.done() for turn in turns) >= 20, 30, "some inserts")  # type: ignore[misc]
            server.kill()
            acknowledged += sum(turn.result() for turn in turns) // 1000
        server = start()
        stored = int(ask(server.host, server.port, "SELECT count() FROM d.t").body)
        # An insert under way at the kill may be there though nobody was told; what was told is there.
        assert acknowledged * 1000 <= stored
    assert acknowledged >= 60


def test_a_second_start_on_the_directory_is_a_clear_error(start: Start, tmp_path: Path) -> None:
    server = start()
    with pytest.raises(FatalError, match=rf"in use by another ClickHouse server \(process {server.pid}\)"):
        start()
    assert ask(server.host, server.port, "SELECT 1").body == b"1\n"


def test_a_taken_port_is_a_clear_error(start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(FatalError, match=r"cannot listen on 127\.0\.0\.1:\d+: .*choose another --port"):
            start(port=other.getsockname()[1])


def test_a_clean_stop_lets_short_queries_finish_and_exits_with_0(start: Start) -> None:
    server = start()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, server.host, server.port, "SELECT sleep(1), 'slow one'")
        sql = "SELECT count() FROM system.processes WHERE query LIKE '%slow one%' AND query NOT LIKE '%processes%'"
        wait_until(lambda: ask(server.host, server.port, sql).body == b"1\n", 5, "the query to run")
        server.stop()
        assert slow.result().status == 200
    assert server.poll() == 0


def test_a_clean_stop_cancels_what_does_not_end_and_exits_with_0(start: Start) -> None:
    server = start()
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(ask, server.host, server.port, "SELECT count(), 'endless one' FROM numbers(1e13)")
        sql = "SELECT count() FROM system.processes WHERE query LIKE '%endless one%' AND query NOT LIKE '%processes%'"
        wait_until(lambda: ask(server.host, server.port, sql).body == b"1\n", 5, "the query to run")
        os.kill(server.pid, signal.SIGINT)
        assert endless.result().headers["x-clickhouse-exception-code"] == "394"
        wait_until(lambda: server.poll() is not None, 15, "the end of the process")
    assert server.poll() == 0


def test_a_clean_stop_does_not_wait_for_a_client_that_stands_still_within_a_large_body(start: Start) -> None:
    server = start()
    ask(server.host, server.port, "CREATE DATABASE d ENGINE = Atomic")
    ask(server.host, server.port, "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    with connection(server.host, server.port) as link:
        link.putrequest("POST", "/?query_id=still&query=INSERT+INTO+d.t+FORMAT+TabSeparated")
        link.putheader("Content-Length", "100000000")
        link.endheaders()
        link.send(b"1\n" * 1_000_000)
        running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'still'"
        wait_until(lambda: ask(server.host, server.port, running).body == b"1\n", 10, "the insert to run")
        server.stop(timeout=12)
        assert server.poll() == 0
    again = start()
    assert ask(again.host, again.port, "SELECT count() FROM d.t").body == b"0\n"


def test_what_was_stored_is_there_after_a_clean_restart(start: Start) -> None:
    server = start()
    ask(server.host, server.port, "CREATE DATABASE d ENGINE = Atomic")
    ask(server.host, server.port, "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    _write(server, 0)
    server.stop()
    server = start()
    assert ask(server.host, server.port, "SELECT count() FROM d.t").body == b"1000\n"


@pytest.mark.skipif(sys.platform != "linux", reason="threads of other systems have no niceness of their own")
@pytest.mark.parametrize(("niceness", "merges"), [(0, 10), (10, 19)])
def test_merges_give_way_to_questions_and_inserts(start: Start, niceness: int, merges: int) -> None:
    server = start(niceness=niceness)
    ask(server.host, server.port, "CREATE DATABASE d ENGINE = Atomic")
    ask(server.host, server.port, "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    _write(server, 0)
    found: dict[str, set[int]] = {}
    for thread in Path(f"/proc/{server.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            name = (thread / "comm").read_text().strip()
            found.setdefault(name, set()).add(os.getpriority(os.PRIO_PROCESS, int(thread.name)))
    assert found.pop("MergeMutate") == {merges}
    assert found.pop("python") == {niceness}


def test_a_password_is_asked_for_in_all_its_forms(start: Start) -> None:
    server = start(user="city", password="s3cret:x")
    nobody = ask(server.host, server.port, "SELECT 1")
    assert (nobody.status, nobody.headers["x-clickhouse-exception-code"]) == (401, "516")
    assert nobody.headers["www-authenticate"].startswith("Basic ")
    wrong = ask(server.host, server.port, "SELECT 1", user="city", password="wrong")
    assert (wrong.status, wrong.headers["x-clickhouse-exception-code"]) == (403, "516")
    right = {"X-ClickHouse-User": "city", "X-ClickHouse-Key": "s3cret:x"}
    assert ask(server.host, server.port, "SELECT 1", headers=right).body == b"1\n"
    assert ask(server.host, server.port, "SELECT 1", user="city", password="s3cret:x").body == b"1\n"
    assert ask(server.host, server.port, method="GET", path="/ping").status == 200
    client = clickhouse_connect.get_client(host=server.host, port=server.port, username="city", password="s3cret:x")
    assert client.command("SELECT 1") == 1
    client.close()
    with pytest.raises(DatabaseError, match=r"Code: 516\."):
        clickhouse_connect.get_client(host=server.host, port=server.port, username="city", password="no")
    assert "s3cret" not in " ".join(psutil.Process(server.pid).cmdline())


def test_the_log_holds_nothing_of_a_query(start: Start, tmp_path: Path) -> None:
    server = start(log_level="debug")
    ask(server.host, server.port, "SELECT {who:String}", param_who="a-persons-token", query_id="id-of-a-person")
    ask(server.host, server.port, "SELECT 'a-persons-token' FROM missing")
    server.stop()
    log = server.log_path.read_text()
    assert "POST / 200" in log
    assert "person" not in log


def test_the_command_line_runs_a_server_and_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "infra.embedded.clickhouse", "--data-dir", str(tmp_path / "d"), "--port", "0"]
    with subprocess.Popen([*command, "--ready-file", str(ready)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(ready.exists, 30, "the ready file")
            told = json.loads(ready.read_text())
            assert told["pid"] == process.pid
            assert ask(told["host"], told["port"], "SELECT 1").body == b"1\n"
        finally:
            process.terminate()
        assert process.wait(15) == 0
    missing = subprocess.run(
        [*command, "--password-file", str(tmp_path / "none")], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 1
    assert "cannot read the password file" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_the_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from infra.embedded.clickhouse import EmbeddedClickHouse\n"
        "print(EmbeddedClickHouse(Path(sys.argv[1]), port=0).start().pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 10, "the server's end")
