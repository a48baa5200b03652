"""The notebook runs against a stored city, and computes what the oracle says; an empty city ends well."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.support import copresence_oracle as oracle
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import HOUR, MIDNIGHT, MINUTE, City, store
from tests.support.copresence_oracle import OracleCity, OracleScan
from tests.support.copresence_rules import CATEGORIES
from tests.support.visit_rows import instant, migrated_database

pytestmark = pytest.mark.clickhouse

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "case.py"


def run(server: ClickHouseServer, database: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every name the notebook computes, run without a screen against a database."""
    for name, value in {"PORT": str(server.port), "DATABASE": database}.items():
        monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
    spec = importlib.util.spec_from_file_location("notebook", NOTEBOOK)
    assert spec is not None
    assert spec.loader is not None
    notebook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebook)
    _, computed = notebook.app.run()
    computed["client"].close()
    return dict(computed)


def small_city() -> City:
    """A case of three meetings, one of them of a contact with somebody else, and a crowd of a dozen."""
    case, first, second, other = people = City(7, ()).people
    rows = [
        (case, "V7-0", 0, "enter"),
        (first, "V7-0", 10, "enter"),
        (case, "V7-0", 40, "leave"),
        (first, "V7-0", 60, "leave"),
        (first, "V7-2", 90, "enter"),
        (second, "V7-2", 95, "enter"),
        (other, "V7-2", 600, "enter"),
        *((f"{number:032x}", "V7-1", 300, "enter") for number in range(12)),
    ]
    assert len(people) == 4
    return City(
        7,
        tuple(
            OracleScan(
                person, venue, None, MIDNIGHT + minute * MINUTE, direction, "mall_supermarket", ("t", 0, number), 0
            )
            for number, (person, venue, minute, direction) in enumerate(rows)
        ),
    )


def test_the_notebook_walks_through_a_case_and_computes_what_the_oracle_says(
    clickhouse: ClickHouseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = small_city()
    case = city.people[0]
    with migrated_database(clickhouse) as target:
        client = target.client()
        store(client, [city])
        columns = ["person_token", "version", "colour", "valid_from"]
        client.insert(
            "health_changes", [[bytes.fromhex(case), 1, "red", instant(MIDNIGHT + 20 * HOUR)]], column_names=columns
        )
        windows = [["w", "V7-0", instant(MIDNIGHT - HOUR), instant(MIDNIGHT + HOUR)]]
        client.insert("exposure_windows", windows, column_names=["window_id", "venue_id", "starts_at", "ends_at"])
        client.close()
        found = run(clickhouse, target.database, monkeypatch)
    truth = OracleCity(city.scans, CATEGORIES, city.positions)
    span = (MIDNIGHT - 14 * 24 * HOUR, max(scan.at for scan in city.scans) + 1)
    assert found["person"] == case, "who turned red last is suggested"
    assert [scan.direction for scan in found["scans"]] == ["enter", "leave"]
    for dwell in ("best", "explicit", "default"):
        assert {row.contact for row in found["by_rule"]["any_overlap", dwell]} == set(
            oracle.contacts(truth, case, *span, mode=dwell)
        )
    assert found["per_rule"]["any_overlap"] == found["per_rule"]["us_cdc"] == 1
    assert found["degrees"] == {1: 1, 2: 1}
    assert [(window.window_id, window.people) for window in found["window_counts"]] == [("w", 2)]
    assert (found["cases"], found["shared"]) == ([case], [])
    assert (found["rests_on"].stays, found["rests_on"].explicit_stays) == (1, 1)
    assert [(row["visits"], row["people"]) for row in found["busiest"]] == [(10, 10)]


def test_the_notebook_ends_well_where_nothing_is_stored(
    clickhouse: ClickHouseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with migrated_database(clickhouse) as target:
        found = run(clickhouse, target.database, monkeypatch)
    assert found["scans_stored"] == 0
    assert "scans" not in found
