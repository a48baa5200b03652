"""New Zealand's exposure windows with people among them, under every rule: ClickHouse answers what the oracle answers.

All 4,335 windows. `NZ_PEOPLE` and `NZ_BACKGROUND` set the population; `make oracle` asks with the demo's, and every
rule with every way to end a stay.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from infra.demo.nz import ask_windows, compare
from producers.nz import published
from producers.nz.city import NzCity
from schemas.errors import LimitError, VenuecodeError
from schemas.fast import FastDecoder, epoch_ms
from schemas.scan import Scan
from sinks.clickhouse import exposure_windows
from sinks.clickhouse.dwell import Dwell
from sinks.clickhouse.reference import store_timezone
from sinks.clickhouse.rules import builtin_contact_rules
from sinks.clickhouse.settle import settle
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_oracle import OracleCity, OracleScan, OracleStay, stays
from tests.support.copresence_rules import CATEGORIES, oracle_rule
from tests.support.tracing_oracle import exposed_stays
from tests.support.visit_rows import insert_visits, instant, migrated_database, visit_document

pytestmark = pytest.mark.clickhouse

PEOPLE, BACKGROUND = (
    int(os.environ.get(name, few)) for name, few in (("NZ_PEOPLE", "2000"), ("NZ_BACKGROUND", "5000"))
)
LONG_FORM = "NZ_PEOPLE" in os.environ
RULES = {rule.rule_id: rule for rule in builtin_contact_rules() if rule.place != "cell_800m"}
DWELLS: tuple[Dwell, ...] = ("best", "explicit", "next_scan", "default", "none")
QUESTIONS: list[tuple[str, Dwell]] = (
    list(itertools.product(RULES, DWELLS))
    if LONG_FORM
    else [*((rule_id, "best") for rule_id in RULES), ("any_overlap", "explicit")]
)
DEADLINE_S = 60.0
"""No question may take longer: the server is told, and the client hangs up."""
Window = tuple[str, int, int]


@dataclass(frozen=True)
class StoredCity:
    """The city, where it is stored, and its scans and windows in the oracle's words, by person and by venue."""

    city: NzCity
    target: ClickHouseTarget
    client: Any
    scans: dict[str, list[OracleScan]]
    windows: dict[str, dict[str, Window]]

    def expected(self, rule_id: str, dwell: Dwell) -> dict[tuple[str, str], int]:
        """By window and person, the seconds that the rule counts; each person is a city, for they do not meet here."""
        rule, found = oracle_rule(RULES[rule_id]), {}
        mode = "none" if rule.instant else dwell
        for scans in self.scans.values():
            by_venue: dict[str, list[OracleStay]] = defaultdict(list)
            for stay in stays(OracleCity(scans, CATEGORIES, {}), mode):
                by_venue[stay.scan.venue].append(stay)
            for venue, there in by_venue.items():
                found.update(exposed_stays(there, self.windows.get(venue, {}), rule, published.TIME_ZONE))
        return {key: length // 1000 for key, length in found.items()}


@pytest.fixture(scope="module")
def stored(clickhouse: ClickHouseServer) -> Iterator[StoredCity]:
    city = NzCity.build(7, people=PEOPLE, background=BACKGROUND)
    categories = {venue.venue_id: venue.category for venue in published.venues().records}
    scans: dict[str, list[OracleScan]] = defaultdict(list)
    offsets = itertools.count()
    with migrated_database(clickhouse) as target:
        client = target.client(timeout=DEADLINE_S)
        client.set_client_setting("max_execution_time", int(DEADLINE_S))
        store_timezone(client, published.TIME_ZONE)
        for _, values in city.scans():
            batch = [
                OracleScan(
                    scan.person_token,
                    scan.venue_id,
                    None,
                    epoch_ms(scan.scanned_at),
                    scan.direction,
                    categories[scan.venue_id],
                    ("venue.scans.v1", 0, next(offsets)),
                    0,
                )
                for scan in FastDecoder(Scan).decode_batch(values) or ()
            ]
            for scan in batch:
                scans[scan.person].append(scan)
            insert_visits(client, map(_document, batch))
        windows: dict[str, dict[str, Window]] = defaultdict(dict)
        for window in city.window_records:
            span = epoch_ms(window.starts_at), epoch_ms(window.ends_at)
            windows[window.venue_id][window.window_id] = (window.venue_id, *span)
        client.insert(
            "exposure_windows",
            [[name, w[0], instant(w[1]), instant(w[2])] for each in windows.values() for name, w in each.items()],
            column_names=["window_id", "venue_id", "starts_at", "ends_at"],
        )
        settle(client)
        yield StoredCity(city, target, client, scans, windows)
        client.close()


def _document(scan: OracleScan) -> dict[str, Any]:
    return visit_document(
        scan.person, scan.at, scan.origin[2], venue_id=scan.venue, direction=scan.direction, category=scan.category
    )


@pytest.mark.parametrize(("rule_id", "dwell"), QUESTIONS)
def test_all_windows_under_a_rule_hold_whom_the_oracle_counts_and_for_as_long(
    stored: StoredCity, rule_id: str, dwell: Dwell
) -> None:
    found = exposure_windows.exposed_under_rule(stored.client, rule_id, dwell)
    expected = stored.expected(rule_id, dwell)
    # An instant has nothing in common with anything, unless the rule is about instants.
    assert len(found) == len(expected) >= (0 if dwell == "none" and rule_id != "nz_window" else 1000)
    assert {(row.window_id, row.person_token): row.counted_s for row in found} == expected
    if dwell in ("best", "default"):
        assert exposure_windows.settled_exposed_under_rule(stored.client, rule_id, dwell) == found


def test_entries_strictly_inside_a_window_are_those_of_the_truth(stored: StoredCity) -> None:
    report = compare(stored.city.window_records, stored.city.truth(), ask_windows(stored.client))
    assert (report.windows, report.missing, report.extra) == (4335, 0, 0)
    assert report.found == report.expected > 1000
    found = exposure_windows.settled_window_visitors(stored.client)
    assert found == exposure_windows.window_visitors(stored.client)


def test_a_rule_about_cells_has_no_windows_and_says_which_question_to_ask(stored: StoredCity) -> None:
    with pytest.raises(VenuecodeError, match="companions_by_cell"):
        exposure_windows.exposed_under_rule(stored.client, "cn_spacetime_companion")


def test_windows_of_thirty_days_are_answered_within_the_deadline(stored: StoredCity) -> None:
    long = {
        window.window_id
        for window in stored.city.window_records
        if window.ends_at - window.starts_at > timedelta(days=29)
    }
    assert len(long) == 3
    truth = stored.city.truth()
    found = ask_windows(stored.client)
    assert {name: found[name] for name in long} == {name: set(truth[name]) for name in long}
    under_rule = [row for row in exposure_windows.exposed_under_rule(stored.client, "uk_nhs") if row.window_id in long]
    expected = {key for key in stored.expected("uk_nhs", "best") if key[0] in long}
    assert {(row.window_id, row.person_token) for row in under_rule} == expected


@pytest.mark.parametrize(("setting", "limit"), [("max_rows_to_read", 1000), ("max_memory_usage", 1_000_000)])
def test_windows_beyond_a_limit_are_refused_in_words(stored: StoredCity, setting: str, limit: int) -> None:
    client = stored.target.client(timeout=DEADLINE_S)
    try:
        client.set_client_setting(setting, limit)
        with pytest.raises(LimitError, match="than allowed"):
            exposure_windows.exposed_under_rule(client)
    finally:
        client.close()
