"""What the hot questions may read of a large city: bounds of granules and rows, not of time.

Asked by the names of the views, so that they hold whatever a view is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sinks.clickhouse.settle import settle
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import MIDNIGHT
from tests.support.visit_rows import instant, migrated_database

pytestmark = pytest.mark.clickhouse

STORED = 2 * 400_000
"""Rows of both orders."""


@pytest.fixture(scope="module")
def large(clickhouse: ClickHouseServer) -> Iterator[Any]:
    """400,000 visits of 20,000 people at 2,000 venues in 14 days, merged: 400 granules in each order."""
    with migrated_database(clickhouse) as target:
        connected = target.client()
        connected.command(
            "INSERT INTO visits_input "
            "(scan_id, person_token, venue_id, scanned_at, direction, category, source_offset) "
            "SELECT generateUUIDv4(), lower(hex(MD5(toString(number % 20000)))), "
            "concat('V-', toString(cityHash64(number) % 2000)), toDateTime64('2026-03-01 00:00:00', 3, 'UTC') "
            "+ toIntervalSecond(cityHash64(number, 1) % 1209600), 'enter', 'pharmacy', number FROM numbers(400000)"
        )
        settle(connected)
        for table in ("visits", "visits_by_place", "settled_stays", "settled_stays_by_place", "place_reach"):
            connected.command(f"OPTIMIZE TABLE {table} FINAL")
        connected.command(
            "INSERT INTO venues (venue_id, lat, lon, version) SELECT concat('V-', toString(number)), "
            "37.5 + intDiv(number, 50) * 0.02, 112.2 + number % 50 * 0.02, 1 FROM numbers(2000)"
        )
        begin = instant(MIDNIGHT)
        rows = [[f"w{number}", f"V-{number}", begin, begin + timedelta(hours=2)] for number in range(10)]
        connected.insert("exposure_windows", rows, column_names=["window_id", "venue_id", "starts_at", "ends_at"])
        yield connected
        connected.close()


def granules(client: Any, question: str) -> dict[str, int]:
    """Most granules that one reading of each table selects, as `EXPLAIN indexes = 1` says."""
    plan = "\n".join(row[0] for row in client.query(f"EXPLAIN indexes = 1 {question}").result_rows)
    found: dict[str, int] = {}
    for part in re.split(r"ReadFromMergeTree \(\w+\.", plan)[1:]:
        selected = re.findall(r"Granules: (\d+)/\d+", part)
        name = part[: part.index(")")]
        found[name] = max(found.get(name, 0), int(selected[-1]) if selected else 0)
    return found


def rows_read(client: Any, question: str) -> int:
    """Rows that a question reads of all tables, those in its sets included, which EXPLAIN leaves out."""
    return int(client.query(question).summary["read_rows"])


SPAN = "since = '2026-03-05 00:00:00', until = '2026-03-06 00:00:00'"
PERSON = f"person_token = 'cfcd208495d565ef66e7dff9f98764da', {SPAN}"
PEOPLE = "person_tokens = ['cfcd208495d565ef66e7dff9f98764da', 'c4ca4238a0b923820dcc509a6f75849b']"


@pytest.mark.parametrize(
    ("question", "table", "bound"),
    [
        (f"trajectory({PERSON})", "visits", 6),
        (f"stays({PERSON})", "visits", 6),
        (f"coverage({PERSON})", "visits", 6),
        (f"coverage_of_many({PEOPLE}, {SPAN})", "visits", 12),
        ("exposed_in_windows", "visits_by_place", 20),
        (f"candidate_sources({PEOPLE}, {SPAN})", "visits", 12),
        (f"cell_hours({PEOPLE}, {SPAN})", "visits", 12),
    ],
)
def test_a_question_about_few_people_or_places_selects_few_of_four_hundred_granules(
    large: Any, question: str, table: str, bound: int
) -> None:
    found = granules(large, f"SELECT * FROM {question}")
    assert found[table] <= bound, found


@pytest.mark.parametrize(
    ("question", "bound"),
    [
        (f"trajectory({PERSON})", 8_000),
        (f"contacts_of({PERSON})", 80_000),
        (f"contacts_of({PERSON}, dwell = 'explicit')", 80_000),
        (f"contacts_by_default({PERSON})", 40_000),
        (f"overlaps_by_default({PERSON})", 40_000),
        (f"settled_overlaps_of({PERSON})", 12_000),
        (f"settled_contacts_of({PERSON})", 40_000),
        (f"settled_contacts_by_venue({PERSON})", 40_000),
        (f"settled_overlaps_of_many({PEOPLE}, {SPAN})", 60_000),
        (f"settled_companions_by_cell({PERSON})", 40_000),
        (f"settled_overlaps_in_cells({PERSON})", 20_000),
        (f"settled_companions_by_cell_hours({PERSON})", 80_000),
        (f"settled_rule_comparison({PERSON}, anchor = '2026-03-06 00:00:00')", 40_000),
        (f"contacts_of_many({PEOPLE}, {SPAN})", 160_000),
        (f"meetings_of({PERSON})", 80_000),
        (f"companions_by_cell({PERSON})", 160_000),
        (f"visitors_of(venue_id = 'V-7', {SPAN})", 160_000),
        (f"contact_chain({PERSON}, rule_id = 'us_cdc', dwell = 'explicit')", 200_000),
        ("window_counts", 60_000),
        ("settled_window_counts", 60_000),
        ("settled_exposed_under_rule(rule_id = 'uk_nhs')", 60_000),
        ("settled_exposed_under_rule(rule_id = 'uk_nhs', window_id = 'w3')", 20_000),
        ("exposed_under_rule(rule_id = 'uk_nhs')", 280_000),
        ("exposed_counts(rule_id = 'uk_nhs')", 280_000),
        ("exposed_in_windows_estimate(share = 0.02)", 40_000),
        ("exposed_in_windows_estimate(window_id = 'w3')", 40_000),
        ("exposed_under_rule_estimate(rule_id = 'uk_nhs', share = 0.02)", 60_000),
        (f"companions_by_cell_estimate({PERSON}, share = 0.02)", 100_000),
        (f"contact_chain_estimate({PERSON}, rule_id = 'us_cdc', dwell = 'explicit', share = 0.02)", 240_000),
        ("settled_exposed_in_windows_estimate(share = 0.02)", 40_000),
        ("settled_exposed_in_windows_estimate(window_id = 'w3')", 20_000),
        ("settled_exposed_under_rule_estimate(rule_id = 'uk_nhs', share = 0.02)", 40_000),
        (f"settled_chain_estimate({PERSON}, share = 0.02)", 80_000),
        (f"settled_overlap_chain_estimate({PERSON}, share = 0.02)", 80_000),
        (f"stats_venue_timeline(venue_id = 'V-7', {SPAN})", 160_000),
    ],
)
def test_a_question_reads_the_rows_of_its_candidates_and_not_the_city(large: Any, question: str, bound: int) -> None:
    assert rows_read(large, f"SELECT count() FROM {question}") <= bound < STORED / 2
