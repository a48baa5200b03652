"""What may be told to others than tracers: nothing of anybody, however the questions are put together."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.copresence_cities import HOUR, MIDNIGHT, MINUTE, clear, document
from tests.support.copresence_oracle import OracleScan
from tests.support.visit_rows import insert_visits, instant, migrated_database, milliseconds

pytestmark = pytest.mark.clickhouse

VENUES = ("S-1", "S-2")
HOURS = 4
Row = tuple[int, ...]


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouseServer) -> Iterator[Any]:
    with migrated_database(clickhouse) as target:
        connected = target.client()
        yield connected
        connected.close()


def test_the_statistics_views_alone_read_with_the_rights_of_their_definer(database: Any) -> None:
    definer = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' "
    definer += "AND create_table_query LIKE '%SQL SECURITY DEFINER%'"
    found = {name for (name,) in database.query(definer).result_rows}
    assert found == {"stats_venue_timeline", "stats_hotspots", "venue_timeline", "hotspots"}


@pytest.mark.docker
def test_a_user_who_may_read_the_statistics_only_can_and_cannot_read_the_visits(
    clickhouse_container: ClickHouseServer,
) -> None:
    # The embedded engine has no users.
    server = clickhouse_container
    database, user = f"grants_{uuid.uuid4().hex}", f"analyst_{uuid.uuid4().hex}"
    target = ClickHouseTarget(server.host, server.port, server.user, server.password, database=database)
    Migrator(target, None).up()
    admin = target.client()
    admin.command(f"CREATE USER {user} IDENTIFIED BY 'analyst'")
    admin.command(f"GRANT SELECT ON {database}.stats_hotspots TO {user}")
    client = ClickHouseTarget(server.host, server.port, user, "analyst", database=database).client()
    span = "since = '2026-03-01 00:00:00', until = '2026-03-02 00:00:00'"
    try:
        assert client.query(f"SELECT * FROM stats_hotspots({span})").result_rows == []
        for table in ("visits", "visits_by_place", "all_visits", f"contacts_of(person_token = '', {span})"):
            with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
                client.query(f"SELECT count() FROM {table}")
    finally:
        client.close()
        admin.command(f"DROP USER {user}")
        admin.command(f"DROP DATABASE {database} SYNC")
        admin.close()


groups = st.tuples(
    st.sampled_from(VENUES),
    st.integers(0, HOURS * 60 - 1),
    st.integers(1, 35),
    st.integers(0, 40),
)
"""At a venue in a minute, so many people, beginning with a certain one."""
edges = st.integers(-30, HOURS * 60 + 30)
spans = st.lists(st.tuples(edges, edges).map(sorted), min_size=4, max_size=4)


@settings(max_examples=8, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@given(crowd=st.lists(groups, min_size=1, max_size=8), asked=spans)
def test_no_span_tells_more_than_the_hours_in_it_and_no_hour_more_than_tens_of_people(
    database: Any, crowd: list[tuple[str, int, int, int]], asked: list[list[int]]
) -> None:
    clear(database)
    entries = [(venue, minute, first + index) for venue, minute, people, first in crowd for index in range(people)]
    insert_visits(
        database,
        (
            document(
                OracleScan(
                    f"{person:032x}", venue, None, MIDNIGHT + minute * MINUTE, "enter", None, ("t", 0, number), 0
                )
            )
            for number, (venue, minute, person) in enumerate(entries)
        ),
    )
    columns = ["venue_id", "lat", "lon", "version"]
    database.insert("venues", [[venue, 37.87, 112.55, 1] for venue in VENUES], column_names=columns)
    whole = (-60, HOURS * 60 + 60)
    for view, more, key in (
        ("stats_hotspots", "", ""),
        *(("stats_venue_timeline", f"venue_id = '{venue}', ", venue) for venue in VENUES),
    ):
        everything = shown(database, view, more, *whole)
        for begin, end in asked:
            inside = [row for row in everything if begin // 60 <= row[0] < end // 60]
            assert shown(database, view, more, begin, end) == inside, "a day, or any span, is its hours"
        for row in everything:
            there = [each for each in entries if each[1] // 60 == row[0] and key in ("", each[0])]
            people = len({person for _, _, person in there})
            assert row[1:3] == (len(there) // 10 * 10, people // 10 * 10)
            assert people >= 10
            assert all(number % 10 == 0 for number in row[1:])


def shown(client: Any, view: str, more: str, begin: int, end: int) -> list[Row]:
    """Hour since midnight, and the numbers of it."""
    since, until = (f"{instant(MIDNIGHT + minute * MINUTE):%Y-%m-%d %H:%M:%S}" for minute in (begin, end))
    colours = ", green, yellow, red, unknown" if view == "stats_venue_timeline" else ""
    sql = f"SELECT hour, visits, people{colours} FROM {view}({more}since = '{since}', until = '{until}') ORDER BY hour"
    return [((milliseconds(hour) - MIDNIGHT) // HOUR, *rest) for hour, *rest in client.query(sql).result_rows]
