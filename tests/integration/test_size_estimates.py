"""How many people an answer would name: within 5 % of the answer in a city of real skew, exact where it is small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from infra.bench.contacts.city import City
from infra.bench.contacts.engines.base import Span
from infra.bench.contacts.engines.clickhouse import insert_rows
from infra.bench.contacts.questions import Sample, draw
from infra.bench.contacts.rows import RowMaker, venue_id
from schemas.categories import builtin_categories
from sinks.clickhouse import asking, companions, exposure_windows, tracing
from sinks.clickhouse.settle import settle
from sinks.clickhouse.sizes import Size, ask_size
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import instant, migrated_database, milliseconds

pytestmark = [pytest.mark.clickhouse, pytest.mark.timeout(900)]

VISITS: Final = 360_000
LAST_DAY: Final = milliseconds(datetime(2026, 3, 14, tzinfo=UTC))
CLOSE: Final = 0.05
SOME: Final = {"share": "0.33"}
"""Of all people, for settled stays: unless told, the first look is at everybody, for the city is small."""
WINDOW_SIZES: Final = (exposure_windows.exposed_size, exposure_windows.settled_exposed_size)


@dataclass(frozen=True)
class Loaded:
    """The city, whom to ask about, and since when until when."""

    client: Any
    asked: Sample
    since: datetime
    until: datetime

    def number(self, view: str, **given: str) -> int:
        """How many people a view names."""
        who = "person_token" if view.startswith("exposed") else "contact"
        sql = f"SELECT uniqExact({who}) FROM {asking.called(view, given)}"
        return int(self.client.query(sql, parameters=given).result_rows[0][0])

    def about(self, person: str) -> dict[str, str]:
        return asking.person(person, self.since, self.until)


@pytest.fixture(scope="module")
def city(clickhouse: ClickHouseServer) -> Iterator[Loaded]:
    with migrated_database(clickhouse) as target:
        client = target.client()
        place = City(VISITS, 7, LAST_DAY)
        rows = RowMaker(place, {name: entry.default_stay_minutes for name, entry in builtin_categories().items()})
        for visits in place.days():
            for table in rows.tables(visits):
                insert_rows(client, table)
        venues = place.venues
        client.insert(
            "venues",
            [
                [venue_id(number), float(venues.lat[number]), float(venues.lon[number]), 1]
                for number in range(len(venues))
            ],
            column_names=["venue_id", "lat", "lon", "version"],
        )
        settle(client)
        asked = draw(place, 3)
        client.insert(
            "exposure_windows",
            [[str(each.window), venue_id(each.venue), *_times(each.span)] for each in asked.windows[:300]],
            column_names=["window_id", "venue_id", "starts_at", "ends_at"],
        )
        yield Loaded(client, asked, *_times(asked.span))
        client.close()


def _times(span: Span) -> tuple[datetime, datetime]:
    return instant(span.since_ms), instant(span.until_ms)


def off(size: Size, truth: int) -> float:
    """How far an estimate is from the answer, as a share of it."""
    return abs(size.people - truth) / truth


def test_contacts_of_contacts_are_estimated_within_five_percent(city: Loaded) -> None:
    """Of three days: two weeks of everybody who met anybody take minutes to answer, and say no more."""
    person = city.asked.persons[0]
    until = city.since + timedelta(days=3)
    size = tracing.chain_size(city.client, person, city.since, until)
    truth = city.number("contact_chain", **asking.person(person, city.since, until))
    assert truth > 1_000
    assert not size.exact
    assert off(size, truth) < CLOSE, (size, truth)


def test_companions_in_cells_are_estimated_within_five_percent_and_exactly_by_everybody(city: Loaded) -> None:
    for person in city.asked.persons[:2]:
        size = companions.companions_size(city.client, person, city.since, city.until)
        truth = city.number("companions_by_cell", **city.about(person))
        assert off(size, truth) < CLOSE, (size, truth)
        whole = {**city.about(person), "share": "1"}
        assert city.client.query(
            f"SELECT people, at_least, at_most, share, next_share FROM "
            f"{asking.called('companions_by_cell_estimate', whole)}",
            parameters=whole,
        ).result_rows == [(truth, truth, truth, 1, None)]


@pytest.mark.parametrize(("prefix", "share"), [("", {}), ("settled_", SOME)])
def test_people_in_windows_are_estimated_within_five_percent(city: Loaded, prefix: str, share: dict[str, str]) -> None:
    entered = ask_size(city.client, f"{prefix}exposed_in_windows_estimate", share)
    stayed = ask_size(city.client, f"{prefix}exposed_under_rule_estimate", {"rule_id": "us_cdc", **share})
    assert not entered.exact
    assert off(entered, city.number("exposed_in_windows")) < CLOSE
    assert off(stayed, city.number("exposed_under_rule", rule_id="us_cdc")) < CLOSE


@pytest.mark.parametrize(
    ("view", "rule"), [("settled_overlap_chain", {}), ("settled_chain", {"rule_id": "us_cdc", "dwell": "best"})]
)
def test_settled_contacts_of_contacts_are_estimated_within_five_percent(
    city: Loaded, view: str, rule: dict[str, str]
) -> None:
    about = {**asking.person(city.asked.persons[0], city.since, city.since + timedelta(days=3)), **rule}
    size = ask_size(city.client, f"{view}_estimate", {**about, **SOME})
    truth = city.number(view, **about)
    assert truth > 1_000
    assert not size.exact
    assert off(size, truth) < CLOSE, (size, truth)


@pytest.mark.parametrize("view", ["settled_chain", "settled_overlap_chain"])
def test_a_settled_estimate_counts_those_of_the_answer_who_are_in_the_sample(city: Loaded, view: str) -> None:
    about = asking.person(city.asked.persons[1], city.since, city.since + timedelta(days=5))
    sql = f"SELECT countIf(degree = 1), countIf(degree = 2 AND contact < '4') FROM {asking.called(view, about)}"
    ((known, named),) = city.client.query(sql, parameters=about).result_rows
    given = {**about, "share": "0.25"}
    sql = f"SELECT people, first_degree_people, share FROM {asking.called(view + '_estimate', given)}"
    assert named > 100
    assert city.client.query(sql, parameters=given).result_rows == [(known + 4 * named, known, 0.25)]


@pytest.mark.parametrize("ask", WINDOW_SIZES)
def test_one_window_is_counted_and_not_estimated(city: Loaded, ask: Callable[..., Size]) -> None:
    for window in ("3", "111"):
        entered = ask(city.client, window_id=window)
        stayed = ask(city.client, "uk_nhs", window_id=window)
        sql = "SELECT uniqExact(person_token) FROM {view} WHERE window_id = '{window}'"
        for size, view in ((entered, "exposed_in_windows"), (stayed, "exposed_under_rule(rule_id = 'uk_nhs')")):
            truth = city.client.query(sql.format(view=view, window=window)).result_rows[0][0]
            assert (size.people, size.at_least, size.at_most, size.exact) == (truth, truth, truth, True)


def test_a_small_chain_is_counted_exactly_though_the_city_is_large(city: Loaded) -> None:
    sizes = []
    for person in city.asked.persons:
        size = tracing.chain_size(city.client, person, city.since, city.until, "us_cdc", "explicit")
        truth = city.number("contact_chain", **city.about(person), rule_id="us_cdc", dwell="explicit")
        assert (size.people, size.exact) == (truth, True) or truth > 500
        sizes.append(truth)
    assert min(sizes) < 500


@pytest.mark.parametrize("view", ["companions_by_cell", "settled_overlap_chain"])
def test_intervals_hold_the_answer_nearly_always(city: Loaded, view: str) -> None:
    person = city.asked.persons[0]
    truth = city.number(view, **city.about(person))
    shares = ("0.05", "0.08", "0.13", "0.2", "0.3", "0.45", "0.6")
    held = 0
    for share in shares:
        given = {**city.about(person), "share": share}
        sql = f"SELECT at_least, at_most FROM {asking.called(f'{view}_estimate', given)}"
        ((low, high),) = city.client.query(sql, parameters=given).result_rows
        held += low <= truth <= high
    assert held >= len(shares) - 1
