"""The migration files: numbered, split into statements, filled in, checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.categories import VenueCategory
from schemas.errors import ConfigurationError
from sinks.clickhouse.reference import checked_categories
from sinks.clickhouse.rules import builtin_contact_rules, read_contact_rules
from sinks.clickhouse.sqlfiles import Migration, RetentionRule, read_migrations, without_replaced_views


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_shipped_migrations_are_numbered_without_gaps_and_hold_no_placeholder_when_filled_in() -> None:
    migrations = read_migrations()
    assert [migration.number for migration in migrations] == list(range(1, len(migrations) + 1))
    for days in (14, None):
        for migration in migrations:
            assert migration.statements(days)
            assert not any("{{" in statement for statement in migration.statements(days))


def test_every_statement_may_run_twice() -> None:
    repeatable = re.compile(
        "CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW"
        r"|DROP (TABLE|VIEW) IF EXISTS|INSERT INTO [a-z_]+_next\s|EXCHANGE TABLES ([a-z_]+) AND \3_next"
        r"|INSERT INTO contact_rules \(\* EXCEPT loaded_at\)"  # a row of the same key takes the place of the one before
        r"|INSERT INTO (settled_stays_by_place|place_reach)\s"  # likewise, and the maximum stays what it is
        r"|ALTER TABLE [a-z_]+\s+(MODIFY (SETTING|COLUMN)|ADD (INDEX|COLUMN) IF NOT EXISTS)"
    )
    for migration in read_migrations():
        for statement in migration.statements(14):
            assert repeatable.match(statement), statement[:60]


def test_no_migration_names_a_database() -> None:
    assert not any("venuecode." in migration.text for migration in read_migrations())


def test_a_statement_ends_with_a_semicolon_at_the_end_of_a_line_and_comments_are_left_out() -> None:
    migration = Migration(1, "x", "-- first;\nSELECT ';' AS a;\n\n-- second;\nSELECT 2\n")
    assert migration.statements(None) == ["SELECT ';' AS a", "SELECT 2"]


def test_retention_is_filled_in_or_left_out() -> None:
    text = "CREATE TABLE IF NOT EXISTS t (at DateTime) ENGINE = MergeTree ORDER BY at\n{{retention:at:at > 0}};\n"
    migration = Migration(1, "x", text)
    assert "TTL toDateTime(at) + INTERVAL 9 DAY DELETE WHERE at > 0" in migration.statements(9)[0]
    assert "TTL" not in migration.statements(None)[0]
    assert list(migration.retention_rules()) == [RetentionRule("t", "at", "at > 0")]


def test_the_checksum_is_of_the_file_and_not_of_the_retention() -> None:
    one, other = Migration(1, "x", "SELECT 1;\n"), Migration(1, "x", "SELECT 2;\n")
    assert one.checksum == Migration(1, "renamed", "SELECT 1;\n").checksum != other.checksum


def test_fragments_are_put_in_also_within_fragments(tmp_path: Path) -> None:
    write(tmp_path, "0001_x.sql", "SELECT * FROM ({{include:outer}});\n")
    write(tmp_path, "fragments/outer.sql", "-- why;\nSELECT * FROM ({{include:inner}})\n")
    write(tmp_path, "fragments/inner.sql", "SELECT 1 AS n\n")
    (migration,) = read_migrations(tmp_path)
    assert migration.statements(None) == ["SELECT * FROM (SELECT * FROM (SELECT 1 AS n))"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"0001_x.sql": "SELECT 1;", "0003_y.sql": "SELECT 1;"}, "without gaps"),
        ({"0001_x.sql": "SELECT 1;", "0001_y.sql": "SELECT 1;"}, "without gaps"),
        ({"1_x.sql": "SELECT 1;"}, "1_x.sql"),
        ({"0001_x.sql": "{{include:nothing}};"}, "nothing.sql"),
    ],
)
def test_wrong_files_are_a_clear_error(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(ConfigurationError, match=told):
        read_migrations(tmp_path)


def test_the_shipped_contact_rules_are_the_eight_published_ones_and_any_overlap() -> None:
    rules = {rule.rule_id: rule for rule in builtin_contact_rules()}
    assert len(rules) == 9
    assert (rules["cwa"].strict, rules["cn_spacetime_companion"].strict) == (False, True)
    assert (rules["who"].by_carriage, rules["who"].seat_rows) == (True, 3)
    assert (rules["any_overlap"].by_carriage, rules["any_overlap"].seat_rows) == (False, None)
    assert (rules["us_cdc"].min_minutes, rules["us_cdc"].sum_over) == (15, "rolling_24h")
    assert rules["nz_window"].overlap == "instant"


_HEADER = (
    "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
    "source_note"
)
_GOOD = "r,零,Zero,venue,interval,0,single_meeting,2,until_isolated,0,,nobody"


@pytest.mark.parametrize(
    ("changed", "to", "told"),
    [
        ("venue", "planet", "place"),
        ("interval", "eternal", "overlap"),
        (",0,single", ",-1,single", "min_minutes"),
        ("single_meeting", "always", "sum_over"),
        (",2,", ",soon,", "lookback_days"),
        ("until_isolated", "never", "lookahead_days"),
        ("isolated,0", "isolated,min(stay)", "indirect_tail"),
        ("r,零", "R 1,零", "rule_id"),
        (",,nobody", "", "extra"),
    ],
)
def test_a_contact_rule_that_cannot_be_is_refused_with_its_column(changed: str, to: str, told: str) -> None:
    assert read_contact_rules([_HEADER, _GOOD])[0].name_zh == "零"
    with pytest.raises(ConfigurationError, match=told):
        read_contact_rules([_HEADER, _GOOD.replace(changed, to, 1)])


def test_a_contact_rule_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        read_contact_rules([_HEADER, _GOOD, _GOOD])


def test_a_longest_stay_beyond_what_the_queries_look_back_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="1440"):
        checked_categories([VenueCategory("cave", "洞", "Cave", False, 60, 1441)])


def test_a_view_that_is_replaced_before_anything_names_it_need_not_be_made() -> None:
    old, new = "CREATE OR REPLACE VIEW who AS SELECT 1", "CREATE OR REPLACE VIEW who AS SELECT 2"
    apart = "CREATE OR REPLACE VIEW whole AS SELECT 'who is who'"
    asks = "CREATE OR REPLACE VIEW when AS SELECT * FROM who"
    assert without_replaced_views([old, apart, new, asks]) == [apart, new, asks]
    assert without_replaced_views([old, asks, new]) == [old, asks, new]
    assert without_replaced_views([old, "DROP VIEW IF EXISTS who", new]) == [old, "DROP VIEW IF EXISTS who", new]
    asks_again = asks.replace("FROM who", "FROM who WHERE true")
    assert without_replaced_views([old, asks, new, asks_again]) == [new, asks_again]
