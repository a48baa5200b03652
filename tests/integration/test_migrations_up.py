"""Migrations on a real engine: from nothing, again, changed, ahead; and the retention that follows the setting."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from schemas.errors import ConfigurationError, FatalError
from sinks.clickhouse import queries
from sinks.clickhouse.migrate import Migrator, require_migrated
from sinks.clickhouse.rules import builtin_contact_rules, store_rules
from sinks.clickhouse.settle import settle
from sinks.clickhouse.sqlfiles import Migration, read_migrations
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import insert_visits, instant, migrated_database, visit_document

pytestmark = pytest.mark.clickhouse

FILES = read_migrations()
FIRST = FILES[:2]
"""What is about migrating, not about what they make, needs no more of them."""
VISITS = ("all_visits", "all_visits_by_place")


@pytest.fixture
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    """A server where the database does not exist yet."""
    name = f"migrations_{uuid.uuid4().hex}"
    target = ClickHouseTarget(host=clickhouse.host, port=clickhouse.port, database=name)
    yield target
    client = target.client(use_database=False)
    client.command(f"DROP DATABASE IF EXISTS {name} SYNC")
    client.close()


@pytest.fixture
def migrated(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    """A database with all migrations, of two weeks' retention; emptied afterwards."""
    with migrated_database(clickhouse, 14) as target:
        yield target


@pytest.fixture
def client(migrated: ClickHouseTarget) -> Iterator[Any]:
    """Connected to the migrated database."""
    client = migrated.client()
    yield client
    client.close()


@contextmanager
def shipped_nothing() -> Iterator[None]:
    """Without the reference data, which needs tables of later migrations."""
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr("sinks.clickhouse.migrate.load_reference_data", lambda client: 0)
        yield


def names(client: Any, condition: str) -> set[str]:
    rows = client.query(
        f"SELECT name FROM system.tables WHERE database = currentDatabase() AND {condition}"
    ).result_rows
    return {row[0] for row in rows}


def test_up_from_nothing_makes_every_table_and_view_and_loads_the_reference_data(target: ClickHouseTarget) -> None:
    assert {entry.state for entry in Migrator(target, 14).status()} == {"pending"}
    outcome = Migrator(target, 14).up()
    assert len(outcome.migrations) == len(FILES)
    assert {entry.state for entry in Migrator(target, 14).status()} == {"applied"}
    require_migrated(target)
    client = target.client()
    assert names(client, "engine LIKE '%MergeTree'") >= {
        *("visits", "visits_by_place", "alerts", "venues", "health_changes", "contact_rules"),
        *("exposure_windows", "venue_categories", "schema_migrations"),
    }
    assert names(client, "engine = 'View'") >= {"trajectory", "stays", "meetings_of", "contacts_of", "visitors_of"}
    assert client.query("SELECT count() FROM all_contact_rules").result_rows == [(9,)]
    database = target.database
    engine = client.query(f"SELECT engine FROM system.databases WHERE name = '{database}'").result_rows
    assert engine == [("Atomic",)]
    client.close()


def test_up_twice_changes_nothing(migrated: ClickHouseTarget) -> None:
    outcome = Migrator(migrated, 14).up()
    assert (outcome.migrations, outcome.retention, outcome.reference_rows) == ((), (), 0)


def test_every_file_runs_twice_without_harm_when_it_is_its_turn(target: ClickHouseTarget) -> None:
    server = target.client(use_database=False)
    server.command(f"CREATE DATABASE {target.database} ENGINE = Atomic")
    server.close()
    client = target.client()
    for statement in FILES[0].statements(14):
        client.command(statement)
    client.insert("venues", [["V-1", 1]], column_names=["venue_id", "version"])
    for migration in FILES:
        for statement in migration.statements(14) * 2:
            client.command(statement)
    assert client.query("SELECT count() FROM all_venues").result_rows == [(1,)]
    client.close()


def test_stored_visits_stay_as_they_were_when_they_are_laid_out_anew_also_when_that_is_cut_off(
    target: ClickHouseTarget,
) -> None:
    compact = next(number for number, file in enumerate(FILES) if file.name == "compact")
    Migrator(target, 14, FILES[:compact]).up()
    client = target.client()
    client.command(
        "INSERT INTO visits_input (scan_id, person_token, venue_id, scanned_at, direction, trip, lat, status_version, "
        "status_age_s, stay_until, flags, source_topic, source_offset, processed_at, channel, colour, decision) "
        "SELECT if(number % 3 = 0, generateUUIDv4(), generateUUIDv7()), lower(hex(MD5(toString(number % 7)))), "
        "concat('V-', toString(number % 5)), now64(3) - toIntervalMillisecond(number * 12345678), "
        "if(number % 4 = 0, 'leave', 'enter'), if(number % 2 = 0, ('', '', '', ''), ('bus', '7', '1', '3A')), "
        "if(number % 5 = 0, NULL, 34.5 + number / 7), if(number % 6 = 0, NULL, number), "
        "if(number % 6 = 0, NULL, number * 1000 - 3), "
        "if(number % 4 = 0, NULL, now64(3) - toIntervalMillisecond(number * 12345678 - 1800001)), ['late'], 'scans', "
        "intDiv(number, 2), now64(3) + toIntervalMillisecond(number), ['phone', 'gate'][number % 2 + 1], "
        "['green', 'red', 'unknown'][number % 3 + 1], ['admit', 'check'][number % 2 + 1] FROM numbers(97)"
    )
    before = {view: client.query(f"SELECT * FROM {view} ORDER BY ALL").result_rows for view in VISITS}
    whole = FILES[compact].statements(14)
    for cut in range(len(whole)):
        for statement in whole[:cut]:
            client.command(statement)
    Migrator(target, 14).up()
    assert {view: client.query(f"SELECT * FROM {view} ORDER BY ALL").result_rows for view in VISITS} == before
    assert len(before["all_visits"]) == 97
    assert names(client, "name LIKE '%next'") == set()
    client.close()


def test_stays_settled_before_boardings_were_kept_are_found_at_the_venue_where_they_began(
    target: ClickHouseTarget,
) -> None:
    boardings = next(number for number, file in enumerate(FILES) if file.name == "settled_boardings")
    Migrator(target, None, FILES[:boardings]).up()
    client = target.client()
    trip = {"vehicle": "bus-7", "run": "1", "carriage": None, "seat": None}
    staying, boarding, noon = "a" * 32, "b" * 32, 1_772_884_800_000
    insert_visits(
        client,
        [visit_document(staying, noon, 0), visit_document(boarding, noon + 60_000, 1, trip=trip)],
    )
    settle(client)
    Migrator(target, None).up()
    span = instant(noon), instant(noon + 86_400_000)
    for person, other in ((staying, boarding), (boarding, staying)):
        assert [found.contact for found in queries.settled_contacts_by_venue(client, person, *span)] == [other]
        assert queries.settled_contacts(client, person, *span, "who") == []
    client.close()


def test_storing_a_rule_a_zone_and_a_settlement_never_imports_pandas(migrated: ClickHouseTarget) -> None:
    program = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from sinks.clickhouse.reference import store_timezone\n"
        "from sinks.clickhouse.rules import builtin_contact_rules, store_rules\n"
        "from sinks.clickhouse.settle import settle\n"
        "from sinks.clickhouse.target import ClickHouseTarget\n"
        f"client = ClickHouseTarget(port={migrated.port}, database={migrated.database!r}).client()\n"
        "store_timezone(client, 'Europe/Paris')\n"
        "added = store_rules(client, [replace(builtin_contact_rules()[0], min_minutes=7)], 'operator')\n"
        "print(len(added), settle(client).number, 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["1", "1", "False"]


def test_a_dry_run_tells_the_statements_and_does_nothing(target: ClickHouseTarget) -> None:
    outcome = Migrator(target, 14).up(dry_run=True)
    assert any("CREATE TABLE IF NOT EXISTS visits" in statement for statement in outcome.statements)
    assert {entry.state for entry in Migrator(target, 14).status()} == {"pending"}
    client = target.client(use_database=False)
    assert client.query(f"SELECT count() FROM system.databases WHERE name = '{target.database}'").result_rows == [(0,)]
    client.close()


def test_up_goes_on_where_an_earlier_version_ended_and_keeps_the_rules_an_operator_had_added(
    target: ClickHouseTarget,
) -> None:
    with shipped_nothing():
        Migrator(target, 14, FILES[:5]).up()
    client = target.client()
    columns = ["rule_id", "name_en", "place", "overlap", "min_minutes", "sum_over", "lookback_days", "indirect_tail"]
    rows = [[name, name, "venue", "interval", 7, "single_meeting", "3", "0"] for name in ("who", "our_own")]
    client.insert("contact_rules", rows, column_names=columns)
    outcome = Migrator(target, 14).up()
    assert outcome.migrations == tuple(f"{file.number:04d}_{file.name}" for file in FILES[5:])
    sql = "SELECT rule_id, version, origin, min_minutes, lookback_days FROM all_contact_rules "
    sql += "WHERE min_minutes IN (7, 15)"
    assert set(client.query(sql).result_rows) == {
        ("our_own", 0, "operator", 7, 3),
        ("us_cdc", 1, "shipped", 15, 2),
        ("who", 1, "shipped", 15, 2),
    }
    named = client.query("SELECT rule_id, min_minutes FROM contact_rules FINAL WHERE rule_id IN ('who@0', 'who@1')")
    assert set(named.result_rows) == {("who@0", 7), ("who@1", 15)}
    client.close()


def test_a_shipped_rule_never_takes_the_place_of_an_operators(client: Any) -> None:
    (shipped,) = (rule for rule in builtin_contact_rules() if rule.rule_id == "who")
    assert store_rules(client, [replace(shipped, min_minutes=20)], "operator") == [("who", 2)]
    assert store_rules(client, [replace(shipped, min_minutes=20)], "operator") == []
    assert store_rules(client, [replace(shipped, min_minutes=10)], "shipped") == [("who", 3)]
    in_force = client.query("SELECT version, origin, min_minutes FROM all_contact_rules WHERE rule_id = 'who'")
    assert in_force.result_rows == [(2, "operator", 20)]
    versions = client.query("SELECT version FROM contact_rule_versions WHERE rule_id = 'who' ORDER BY version")
    assert versions.result_rows == [(1,), (2,), (3,)]


def test_the_citys_time_zone_follows_the_setting(client: Any, migrated: ClickHouseTarget) -> None:
    for zone in ("Europe/Berlin", "Asia/Shanghai"):
        Migrator(migrated, 14, timezone=zone).up()
        stored = client.query("SELECT value FROM city_settings FINAL WHERE name = 'timezone'").result_rows
        assert stored == [(zone,)]


def test_an_applied_file_that_changed_is_an_error_that_names_it(target: ClickHouseTarget) -> None:
    with shipped_nothing():
        Migrator(target, 14, FIRST).up()
    changed = (replace(FIRST[0], text=FIRST[0].text + "\n-- a second thought\n"), *FIRST[1:])
    for attempt in (Migrator(target, 14, changed).status, Migrator(target, 14, changed).up):
        with pytest.raises(ConfigurationError, match=f"0001_{FIRST[0].name} was changed after it was applied"):
            attempt()


def test_a_database_ahead_of_the_program_is_an_error(target: ClickHouseTarget) -> None:
    with shipped_nothing():
        Migrator(target, 14, (*FIRST, Migration(len(FIRST) + 1, "later", "SELECT 1;\n"))).up()
    with pytest.raises(ConfigurationError, match="newer"):
        Migrator(target, 14, FIRST).status()


def test_a_statement_that_fails_names_its_file_and_leaves_the_earlier_ones_applied(target: ClickHouseTarget) -> None:
    broken = Migration(len(FIRST) + 1, "broken", "CREATE TABLE IF NOT EXISTS (;\n")
    with pytest.raises(FatalError, match="broken"):
        Migrator(target, 14, (*FIRST, broken)).up()
    assert {entry.state for entry in Migrator(target, 14, FIRST).status()} == {"applied"}


def test_pending_migrations_are_an_error_that_says_what_to_run(target: ClickHouseTarget) -> None:
    with pytest.raises(ConfigurationError, match="venuecode migrate up"):
        require_migrated(target)


def test_every_stored_column_has_a_comment_and_every_table_of_movements_a_ttl(client: Any) -> None:
    bare = client.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' AND table IN "
        "(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine IN "
        "('ReplacingMergeTree', 'Null'))"
    ).result_rows
    assert bare == []
    with_ttl = names(client, "create_table_query LIKE '%TTL %'")
    assert with_ttl == {
        *("visits", "visits_by_place", "alerts", "venues", "health_changes", "contact_rules"),
        *("exposure_windows", "venue_categories", "settled_stays", "settled_stays_by_place", "late_scans"),
    }


def test_the_retention_follows_the_setting_and_an_analysis_platform_has_none(target: ClickHouseTarget) -> None:
    Migrator(target, 14).up()
    client = target.client()

    def days() -> set[str]:
        sql = "SELECT extract(create_table_query, 'toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables "
        sql += "WHERE database = currentDatabase() AND engine = 'ReplacingMergeTree' "
        sql += "AND name NOT IN ('schema_migrations', 'city_settings', 'settlements')"
        return {row[0] for row in client.query(sql).result_rows}

    assert days() == {"14"}
    assert "visits" in Migrator(target, 30).up().retention
    assert days() == {"30"}
    assert "visits" in Migrator(target, None).up().retention
    assert days() == {""}
    assert "visits" in Migrator(target, 7).up().retention
    assert days() == {"7"}
    client.close()


def test_the_verb_migrates_shows_the_state_and_exits_1_while_something_is_pending(
    target: ClickHouseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PORT": str(target.port), "DATABASE": target.database}.items():
        monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
    app, runner = build_app(("migrate",)), CliRunner()
    pending = runner.invoke(app, ["migrate", "status", "--json"])
    assert pending.exit_code == 1
    assert {entry["state"] for entry in json.loads(pending.stdout)["migrations"]} == {"pending"}
    dry = runner.invoke(app, ["migrate", "up", "--dry-run"])
    assert dry.exit_code == 0
    assert "CREATE TABLE IF NOT EXISTS visits" in dry.stdout
    done = runner.invoke(app, ["migrate", "up", "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["migrations"]) == len(FILES)
    assert runner.invoke(app, ["migrate", "status"]).exit_code == 0
