"""The co-presence views answer what the oracle answers, whatever the city looks like.

Several cities are stored at once and asked about in one question, for the time: they share nothing, so each is an
example.
`COPRESENCE_EXAMPLES` sets how many there are for each rule and way to end a stay; `make oracle` runs the long form.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sinks.clickhouse import companions, exposure_windows, queries
from sinks.clickhouse import tracing as traces
from sinks.clickhouse.dwell import Dwell
from sinks.clickhouse.rules import builtin_contact_rules, read_contact_rules, store_rules
from tests.support import copresence_oracle as oracle
from tests.support import tracing_oracle as tracing
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_answers import as_oracle, contacts_of_many
from tests.support.copresence_cities import SPAN, City, cities, clear, moments, publish, store
from tests.support.copresence_oracle import OracleCity
from tests.support.copresence_rules import CATEGORIES, oracle_rule
from tests.support.visit_rows import instant, migrated_database, milliseconds

pytestmark = pytest.mark.clickhouse

DWELLS: tuple[Dwell, ...] = ("best", "explicit", "next_scan", "default", "none")
AT_ONCE = 40
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
CELLS = next(rule for rule in builtin_contact_rules() if rule.place == "cell_800m")
OWN_CELLS = replace(CELLS, rule_id="cell_1h", min_minutes=5, companion_hours=1, companion_days=1)
OWN_SECOND = replace(OWN_RULES[0], rule_id="second_5", min_minutes=5, lookback_days="from_first_meeting")
RULES = {rule.rule_id: rule for rule in (*builtin_contact_rules(), *OWN_RULES, OWN_SECOND) if rule.place != "cell_800m"}
SECOND = [rule.rule_id for rule in RULES.values() if rule.lookback_days == "from_first_meeting"]
QUESTIONS = list(itertools.product(RULES, DWELLS))


def oracle_city(city: City) -> OracleCity:
    return OracleCity(city.scans, CATEGORIES, city.positions, ZONE)


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        connected.insert("city_settings", [["timezone", ZONE]], column_names=["name", "value"])
        store_rules(connected, [*OWN_RULES, OWN_CELLS, OWN_SECOND], "operator")
        yield connected
        connected.close()


@pytest.fixture
def client(database: Any) -> Any:
    clear(database)
    return database


spans = st.one_of(st.just(SPAN), st.tuples(moments, moments).filter(lambda span: span[0] < span[1]))
towns = st.lists(cities(), min_size=AT_ONCE, max_size=AT_ONCE)
examples = settings(
    max_examples=EXAMPLES // AT_ONCE,
    suppress_health_check=list(HealthCheck),
    # The city that differs is named, and small as it is: to shrink nine others beside it takes minutes.
    phases=(Phase.explicit, Phase.generate),
)
few = settings(examples, max_examples=max(EXAMPLES // AT_ONCE // 4, 1))
asked = st.lists(st.sampled_from(QUESTIONS), min_size=4, max_size=4, unique=True)


@examples
@given(towns=towns, span=spans, questions=asked)
def test_contacts_equal_the_oracle_for_any_city_under_every_rule_and_every_way_to_end_a_stay(
    client: Any, towns: list[City], span: tuple[int, int], questions: list[tuple[str, Dwell]]
) -> None:
    store(client, towns)
    # One case a city: were everybody one, nobody would have to be found as a candidate.
    people = [city.people[0] for city in towns]
    for rule_id, dwell in questions:
        found = contacts_of_many(client, people, span, rule_id, dwell)
        for city in towns:
            person = city.people[0]
            expected = oracle.contacts(oracle_city(city), person, *span, oracle_rule(RULES[rule_id]), dwell)
            assert found[person] == expected, (rule_id, dwell, person, span, city.scans)


@few
@given(towns=towns, span=spans, anchor=moments, dwell=st.sampled_from(DWELLS))
def test_one_case_under_all_rules_equals_the_oracle_with_each_rules_own_span(
    client: Any, towns: list[City], span: tuple[int, int], anchor: int, dwell: Dwell
) -> None:
    store(client, towns)
    rules = {
        rule.rule_id: (oracle_rule(rule), int(rule.lookback_days), _days(rule.lookahead_days))
        for rule in (*RULES.values(), CELLS, OWN_CELLS)
        if rule.lookback_days != "from_first_meeting"
    }
    for city in towns[:2]:
        person, town = city.people[0], oracle_city(city)
        found: dict[str, dict[str, oracle.OracleContact]] = {}
        second: dict[str, dict[tuple[str, str], oracle.OracleContact]] = {rule_id: {} for rule_id in SECOND}
        for row in traces.rule_comparison(client, person, instant(anchor), instant(span[0]), instant(span[1]), dwell):
            if row.via:
                second[row.rule_id][row.contact, row.via] = as_oracle(row)
            else:
                found.setdefault(row.rule_id, {})[row.contact] = as_oracle(row)
        assert found == tracing.compared(town, person, anchor, span, rules, dwell)
        for rule_id in SECOND:
            expected = tracing.second_degree(town, person, *span, oracle_rule(RULES[rule_id]), dwell, {})
            assert second[rule_id] == expected, (rule_id, dwell, span, city.scans)


def _days(text: str) -> int | None:
    return None if text == "until_isolated" else int(text)


@few
@given(
    towns=towns,
    span=spans,
    rule_id=st.sampled_from(sorted(RULES)),
    dwell=st.sampled_from(DWELLS),
    reds=st.lists(st.tuples(st.integers(0, 3), moments), max_size=3),
    given_times=st.lists(st.tuples(st.integers(0, 3), moments), max_size=3),
)
def test_contacts_of_contacts_equal_the_oracle_from_the_first_meeting_until_isolation(
    client: Any,
    towns: list[City],
    span: tuple[int, int],
    rule_id: str,
    dwell: Dwell,
    reds: list[tuple[int, int]],
    given_times: list[tuple[int, int]],
) -> None:
    store(client, towns)
    for city in towns[:2]:
        turned: dict[str, list[int]] = {}
        for index, at in reds:
            turned.setdefault(city.people[index], []).append(at)
        turned = {person: [at for at in ats if span[0] <= at < span[1]] for person, ats in turned.items()}
        rows = [[bytes.fromhex(who), at, "red", instant(at)] for who, ats in turned.items() for at in ats]
        if rows:
            client.insert("health_changes", rows, column_names=["person_token", "version", "colour", "valid_from"])
        given = {city.people[index]: at for index, at in given_times}
        isolated = {who: instant(at) for who, at in given.items()}
        found = traces.contact_chain(
            client, city.people[0], instant(span[0]), instant(span[1]), rule_id, dwell, isolated
        )
        assert {
            tracing.Link(link.degree, link.contact, link.via, link.counted_s, milliseconds(link.first_meeting))
            for link in found
        } == tracing.chain(
            oracle_city(city), city.people[0], *span, oracle_rule(RULES[rule_id]), dwell, turned, given
        ), (
            rule_id,
            dwell,
            span,
            turned,
            given,
            city.scans,
        )
        size = traces.chain_size(client, city.people[0], instant(span[0]), instant(span[1]), rule_id, dwell, isolated)
        assert (size.people, size.exact) == (len({link.contact for link in found}), True)


@few
@given(towns=towns, span=spans, dwell=st.sampled_from(DWELLS))
def test_shared_places_cells_and_stays_equal_the_oracle(
    client: Any, towns: list[City], span: tuple[int, int], dwell: Dwell
) -> None:
    store(client, towns)
    since, until = instant(span[0]), instant(span[1])
    everybody = [person for city in towns for person in city.people]
    shared = {
        (milliseconds(each.shared_from), milliseconds(each.shared_until), tuple(each.people))
        for each in traces.candidate_sources(client, everybody, since, until, dwell)
    }
    expected = set()
    for city in towns:
        expected |= tracing.shared_places(oracle_city(city), city.people, *span, dwell)
    assert shared == expected
    hours: dict[str, dict[str, float]] = {person: {} for person in everybody}
    for row in companions.cell_hours(client, everybody, since, until, dwell):
        hours[row.person][row.cell] = row.hours
    for city in towns:
        for person in city.people:
            assert hours[person] == pytest.approx(tracing.cell_hours(oracle_city(city), person, *span, dwell))
    city = towns[0]
    person = city.people[0]
    named = companions.companions_by_cell(client, person, since, until, dwell=dwell)
    assert {each.contact: as_oracle(each) for each in named} == oracle.contacts(
        oracle_city(city), person, *span, oracle_rule(CELLS), dwell
    )
    for city in towns[:2]:
        found = companions.companions_by_cell(
            client, city.people[0], since, until, OWN_CELLS.rule_id, dwell, hours_clause=True
        )
        assert {each.contact: as_oracle(each) for each in found} == tracing.companions(
            oracle_city(city), city.people[0], *span, oracle_rule(OWN_CELLS), dwell, hours=1, days=1
        )
        size = companions.companions_size(
            client, city.people[0], since, until, OWN_CELLS.rule_id, dwell, hours_clause=True
        )
        assert (size.people, size.exact) == (len(found), True)
    city = towns[0]
    assert sorted(
        (milliseconds(stay.scanned_at), milliseconds(stay.left_at), stay.dwell)
        for stay in queries.stays(client, person, since, until, dwell)
    ) == sorted(
        (stay.start, stay.end, stay.dwell)
        for stay in oracle.stays(oracle_city(city), dwell)
        if stay.scan.person == person and stay.start < span[1] and (stay.end > span[0] or stay.start >= span[0])
    )
    for rule_id in RULES:
        plain = queries.contacts(client, person, since, until, rule_id, "default")
        assert {each.contact: as_oracle(each) for each in plain} == oracle.contacts(
            oracle_city(city), person, *span, oracle_rule(RULES[rule_id]), "default"
        ), rule_id
    together = oracle.contacts(oracle_city(city), person, *span, oracle_rule(RULES["any_overlap"]), "default")
    assert {
        each.contact: (each.overlap_s, milliseconds(each.first_meeting), tuple(each.venues))
        for each in queries.overlaps(client, person, since, until)
    } == {contact: (each.overlap_s, each.first_meeting, tuple(each.venues)) for contact, each in together.items()}
    resting = traces.coverage(client, person, since, until, dwell)
    assert resting.stays == len(queries.stays(client, person, since, until, dwell))
    each = [traces.coverage(client, one, since, until, dwell) for one in city.people[:2]]
    together_rest = traces.coverage_of_many(client, city.people[:2], since, until, dwell)
    for name in ("stays", "explicit_stays", "next_scan_stays", "assumed_stays", "late_scans", "flagged_scans"):
        assert getattr(together_rest, name) == sum(getattr(one, name) for one in each), name


@few
@given(
    towns=towns,
    rule_id=st.sampled_from(sorted(RULES)),
    dwell=st.sampled_from(DWELLS),
    spans=st.lists(st.tuples(st.integers(0, 3), moments, moments), min_size=3, max_size=6),
)
def test_windows_under_every_rule_equal_the_oracle(
    client: Any, towns: list[City], rule_id: str, dwell: Dwell, spans: list[tuple[int, int, int]]
) -> None:
    store(client, towns)
    windows = publish(client, towns, spans)
    found = {
        (row.window_id, row.person_token): row.counted_s
        for row in exposure_windows.exposed_under_rule(client, rule_id, dwell)
    }
    expected: dict[tuple[str, str], int] = {}
    for city in towns:
        mine = {name: window for name, window in windows.items() if name.startswith(f"{city.number}-")}
        expected |= tracing.exposed(oracle_city(city), mine, oracle_rule(RULES[rule_id]), dwell)
    assert found == {key: length // 1000 for key, length in expected.items()}, (rule_id, dwell)
    counts = {row.window_id: row.people for row in exposure_windows.exposed_counts(client, rule_id, dwell)}
    assert counts == {name: sum(key[0] == name for key in found) for name in windows}
    size = exposure_windows.exposed_size(client, rule_id, dwell)
    assert (size.people, size.exact) == (len({person for _, person in found}), True)
    name = min(windows)
    assert exposure_windows.exposed_size(client, rule_id, dwell, name).people == counts[name]
    assert exposure_windows.exposed_size(client, None, dwell, name).people == len(
        {row.person_token for row in exposure_windows.window_visitors(client, name)}
    )
    entered = {(row.window_id, row.person_token): row.entries for row in exposure_windows.window_visitors(client)}
    assert entered == {
        (window, person): times
        for city in towns
        for window, people in oracle.in_windows(city.scans, windows).items()
        for person, (times, _, _) in people.items()
    }
