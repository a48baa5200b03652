"""The verbs on docs/analysts.md run as they are written there, in every form an answer has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import insert_visits, instant, migrated_database, visit_document

pytestmark = pytest.mark.clickhouse

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text("utf-8")
COMMANDS = re.findall(r"^venuecode (.+)$", PAGE, re.MULTILINE)
VERBS = ("trajectory", "contacts", "chain", "sources", "windows")
ONE, OTHER, THIRD = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100", "a" * 32
MARCH_7 = 1_772_884_800_000


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    """The two people of the page meet; one of them meets somebody else; a window is open meanwhile."""
    with migrated_database(clickhouse) as target:
        client = target.client()
        scans = [(ONE, 0, "V-1"), (OTHER, 5, "V-1"), (ONE, 40, "V-2"), (OTHER, 60, "V-3"), (THIRD, 61, "V-3")]
        insert_visits(
            client,
            (
                visit_document(person, MARCH_7 + 60_000 * minute, offset, venue_id=venue)
                for offset, (person, minute, venue) in enumerate(scans)
            ),
        )
        begin = instant(MARCH_7)
        window = ["window-1", "V-1", begin - timedelta(minutes=1), begin + timedelta(hours=1)]
        client.insert("exposure_windows", [window], column_names=["window_id", "venue_id", "starts_at", "ends_at"])
        client.close()
        yield target


def test_each_verb_and_each_form_has_an_example() -> None:
    assert {shlex.split(command)[0] for command in COMMANDS} >= set(VERBS)
    for form in ("--json", "--csv", "--parquet", "--arrow", "--plot", "--estimate", "--rule", "--dwell", "--all-rules"):
        assert any(form in command for command in COMMANDS), form


@pytest.mark.parametrize("command", COMMANDS)
def test_a_verb_on_the_page_runs_and_answers(
    database: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"PORT": str(database.port), "DATABASE": database.database}.items():
        monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
    words = shlex.split(command)
    if ">" in words:
        words = words[: words.index(">")]
    done = CliRunner().invoke(build_app(VERBS), words)
    assert done.exit_code == 0, done.output
    assert len(done.stdout_bytes) > (20 if "--estimate" in words else 50)
    if "--plot" in words:
        assert Path(words[words.index("--plot") + 1]).stat().st_size > 1000
