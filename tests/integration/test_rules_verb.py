"""`venuecode rules`: an operator's rules are checked, kept in versions, and in force before those that are shipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import migrated_database

pytestmark = pytest.mark.clickhouse

HEADER = (
    "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
    "source_note\n"
)


@pytest.fixture
def verb(clickhouse: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        for name, value in {"PORT": str(target.port), "DATABASE": target.database}.items():
            monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
        app, runner = build_app(("rules",)), CliRunner()
        yield lambda *arguments: runner.invoke(app, ["rules", *map(str, arguments)])


def in_force(verb: Any) -> dict[str, tuple[int, str, int]]:
    rules = json.loads(verb("list", "--json").stdout)["rules"]
    return {rule["rule_id"]: (rule["version"], rule["origin"], rule["min_minutes"]) for rule in rules}


def test_an_operators_rule_is_in_force_before_the_shipped_one_and_every_version_stays(
    verb: Any, tmp_path: Path
) -> None:
    file = tmp_path / "rules.csv"
    file.write_text(HEADER + "who,世卫,WHO here,venue_or_trip,interval,30,rolling_24h,2,10,0,,our health office\n")
    assert in_force(verb)["who"] == (1, "shipped", 15)
    dry = verb("add", file, "--dry-run")
    assert (dry.exit_code, in_force(verb)["who"]) == (0, (1, "shipped", 15))
    added = verb("add", file, "--json")
    assert json.loads(added.stdout) == {"rules": 1, "added": [{"rule_id": "who", "version": 2}]}
    assert in_force(verb)["who"] == (2, "operator", 30)
    assert "already" in verb("add", file).stdout
    versions = json.loads(verb("list", "--all", "--json").stdout)["rules"]
    assert [rule["version"] for rule in versions if rule["rule_id"] == "who"] == [1, 2]
    assert "WHO here" in verb("list").stdout


@pytest.mark.parametrize("wrong", ["who,世卫,WHO,nowhere,interval,30,rolling_24h,2,10,0,,x\n", "", "who\n"])
def test_a_file_with_a_wrong_rule_adds_nothing_and_says_what_is_wrong(verb: Any, tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "rules.csv"
    good = "" if not wrong else "ours,我们,Ours,venue,interval,5,single_meeting,2,10,0,,x\n"
    file.write_text(HEADER + good + wrong)
    refused = verb("add", file)
    assert (refused.exit_code, "Error" in refused.stderr) == (1, True)
    assert set(in_force(verb)) & {"ours"} == set()
