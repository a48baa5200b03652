"""A question that takes long: what a terminal shows meanwhile, and that Ctrl-C ends it at the server."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli.main import build_app
from schemas.errors import VenuecodeError
from sinks.clickhouse import asking
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import migrated_database
from tests.support.waiting import wait_until

pytestmark = pytest.mark.clickhouse

TOKEN = "a" * 32
# Under an id of its own, or with it as a comment: see `sinks.clickhouse.asking`.
RUNNING = (
    "SELECT count() FROM system.processes WHERE NOT is_cancelled "
    "AND (startsWith(query_id, 'question-') OR startsWith(Settings['log_comment'], 'question-'))"
)


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse, changes_tables=True) as made:
        yield made


@pytest.fixture
def target(database: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {"PORT": str(database.port), "DATABASE": database.database}.items():
        monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
    return database


def slow(client: Any, rows: int, seconds: float) -> None:
    """Make the question of `sources` read so many rows, one at a time."""
    client.command(
        "CREATE OR REPLACE VIEW candidate_sources AS "
        "SELECT '' AS place, '' AS venue_id, now64(3, 'UTC') AS shared_from, now64(3, 'UTC') AS shared_until, "
        "toUInt32(2) AS cases, {person_tokens:Array(String)} AS people, [{since:String}, {until:String}, "
        f"ifNull({{dwell:Nullable(String)}}, '')] AS dwells FROM numbers({rows}) WHERE sleepEachRow({seconds}) = 1 "
        "SETTINGS max_block_size = 1"
    )


def test_a_terminal_shows_how_much_has_been_read(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = target.client()
    slow(client, 16, 0.2)
    terminal = io.StringIO()
    monkeypatch.setattr("infra.cli.waiting.err", Console(file=terminal, force_terminal=True, width=120))
    done = CliRunner().invoke(build_app(("sources", "chain")), ["sources", TOKEN, "b" * 32, "--json"])
    client.close()
    assert done.exit_code == 0, done.output
    assert "rows read" in terminal.getvalue()


def test_ctrl_c_ends_the_question_at_the_server_and_the_verb_with_exit_code_130(target: Any) -> None:
    client = target.client()
    slow(client, 3_000, 0.2)

    def running() -> int:
        return int(client.query(RUNNING).result_rows[0][0])

    verb = [sys.executable, "-m", "infra.cli.main", "sources", TOKEN, "b" * 32, "--json"]
    with subprocess.Popen(verb, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
        try:
            wait_until(lambda: running() == 1, 60, "the question at the server")
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert b"Traceback" not in said[1]
    wait_until(lambda: running() == 0, 30, "the end of the question")
    client.close()


def test_what_a_process_asks_can_be_ended_by_its_query_ids_alone(target: Any) -> None:
    """As on a server that does not notice a closed connection."""
    client, other = target.client(), target.client()
    sql = "SELECT count() FROM numbers(300) WHERE sleepEachRow(0.2) = 0 SETTINGS max_block_size = 1"
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(asking.rows, client, sql, {})
        wait_until(lambda: asking.read_so_far(other), 60, "the first rows")
        asking.cancel(other)
        with pytest.raises(VenuecodeError, match="cancelled"):
            asked.result(30)
    client.close()
    other.close()
