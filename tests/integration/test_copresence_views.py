"""The co-presence views answer what the oracle answers, whatever the city looks like.

Several cities are stored at once and asked about in one question, for the time: they share nothing, so each is an
example.
`COPRESENCE_EXAMPLES` sets how many there are for each rule and way to end a stay; `make oracle` runs the long form.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.categories import builtin_categories
from sinks.clickhouse import queries
from sinks.clickhouse.rules import ContactRule, builtin_contact_rules, read_contact_rules, store_rules
from tests.support import copresence_oracle as oracle
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import SPAN, City, cities, moments, store
from tests.support.copresence_oracle import OracleCity, OracleRule
from tests.support.visit_rows import instant, migrated_database, milliseconds

pytestmark = pytest.mark.clickhouse

CATEGORIES = {
    name: (category.default_stay_minutes, category.max_stay_minutes) for name, category in builtin_categories().items()
}
DWELLS: tuple[queries.Dwell, ...] = ("best", "explicit", "next_scan", "default", "none")
AT_ONCE = 10
EXAMPLES = int(os.environ.get("COPRESENCE_EXAMPLES", "200"))
ZONE = "America/New_York"
OWN_RULES = read_contact_rules(
    [
        "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
        "source_note,strict",
        "point_11,点,Point,point,interval,11,calendar_day,2,2,min(stay;30),,,true",
        "venue_60,场所,Venue,venue,interval,60,rolling_24h,2,2,min(stay;90),,,false",
    ]
)
RULES = {rule.rule_id: rule for rule in (*builtin_contact_rules(), *OWN_RULES) if rule.place != "cell_800m"}
QUESTIONS = list(itertools.product(RULES, DWELLS))


def oracle_rule(rule: ContactRule) -> OracleRule:
    return OracleRule(
        place=rule.place,
        by_carriage=rule.by_carriage,
        seat_rows=rule.seat_rows,
        instant=rule.overlap == "instant",
        min_minutes=rule.min_minutes,
        strict=rule.strict,
        sum_over=rule.sum_over,
        tail_minutes=int(rule.indirect_tail.strip("min(stay;)") or 0),
    )


def oracle_city(city: City) -> OracleCity:
    return OracleCity(city.scans, CATEGORIES, city.positions, ZONE)


def as_oracle(contact: queries.Contact) -> oracle.OracleContact:
    return oracle.OracleContact(
        contact.overlap_s,
        contact.counted_s,
        contact.direct_s,
        milliseconds(contact.first_meeting),
        milliseconds(contact.last_meeting),
        contact.meetings,
        bool(contact.indirect),
        tuple(contact.venues),
        tuple(contact.person_dwells),
        tuple(contact.contact_dwells),
        bool(contact.late),
    )


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse, f"copresence_{uuid.uuid4().hex}") as target:
        connected = target.client()
        connected.insert("city_settings", [["timezone", ZONE]], column_names=["name", "value"])
        store_rules(connected, OWN_RULES, "operator")
        yield connected
        connected.close()


@pytest.fixture
def client(database: Any) -> Any:
    for table in ("visits", "visits_by_place", "venues"):
        database.command(f"TRUNCATE TABLE {table}")
    return database


spans = st.one_of(st.just(SPAN), st.tuples(moments, moments).filter(lambda span: span[0] < span[1]))
towns = st.lists(cities(), min_size=AT_ONCE, max_size=AT_ONCE)
examples = settings(
    max_examples=EXAMPLES // AT_ONCE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # The city that differs is named, and small as it is: to shrink nine others beside it takes minutes.
    phases=(Phase.explicit, Phase.generate),
)
asked = st.lists(st.sampled_from(QUESTIONS), min_size=4, max_size=4, unique=True)


def contacts_of_all(
    client: Any, people: list[str], span: tuple[int, int], rule_id: str, dwell: queries.Dwell
) -> dict[str, dict[str, oracle.OracleContact]]:
    found: dict[str, dict[str, oracle.OracleContact]] = {person: {} for person in people}
    for row in queries.contacts_of_many(client, people, instant(span[0]), instant(span[1]), rule_id, dwell):
        found[row.person][row.contact] = as_oracle(row)
    return found


@examples
@given(towns=towns, span=spans, questions=asked)
def test_contacts_equal_the_oracle_for_any_city_under_every_rule_and_every_way_to_end_a_stay(
    client: Any, towns: list[City], span: tuple[int, int], questions: list[tuple[str, queries.Dwell]]
) -> None:
    store(client, towns)
    people = [person for city in towns for person in city.people]
    for rule_id, dwell in questions:
        found = contacts_of_all(client, people, span, rule_id, dwell)
        for city in towns:
            for person in city.people:
                expected = oracle.contacts(oracle_city(city), person, *span, oracle_rule(RULES[rule_id]), dwell)
                assert found[person] == expected, (rule_id, dwell, person, span, city.scans)
