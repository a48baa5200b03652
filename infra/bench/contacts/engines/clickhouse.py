"""The product as it is: its migrations, its input table, its views, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from infra.bench.contacts.city import Venues
from infra.bench.contacts.engines.base import Answer, Dwell, Span, Window, pairs
from infra.bench.contacts.files import drop_from_memory
from infra.bench.contacts.rows import venue_id
from infra.embedded.clickhouse import EmbeddedClickHouse
from sinks.clickhouse import asking
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.queries import VENUE_RULE
from sinks.clickhouse.settle import settle
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.tracing import settled_chain_size

ORDERS: Final = ("visits", "visits_by_place")
SETTLED: Final = ("settled_stays", "settled_stays_by_place", "place_reach")
_DATABASE: Final = "contacts"
_RETENTION_DAYS: Final = 30
_ANSWER_S: Final = 1200.0
_INSERT: Final = {
    "async_insert": 0,
    "optimize_on_insert": 0,
    "max_insert_block_size": 4_000_000,
    "min_insert_block_size_rows": 4_000_000,
    "min_insert_block_size_bytes": 0,
    "max_partitions_per_insert_block": 0,
}


class ClickHouse:
    """See `Engine`.

    Args:
        server: with the database; ends with `close`, where this is its owner.
        target: the database.
        owner: whether closing ends the server.
    """

    name = "ClickHouse"

    def __init__(self, server: EmbeddedClickHouse, target: ClickHouseTarget, *, owner: bool) -> None:
        self._server, self.target, self._owner = server, target, owner
        self.client: Any = target.client(timeout=_ANSWER_S)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The database in a folder, with all tables, on a server of its own; made when it is not there yet."""
        server = EmbeddedClickHouse(folder, port=0, log_level="warning").start()
        target = ClickHouseTarget(host=server.host, port=server.port, database=_DATABASE)
        try:
            Migrator(target, _RETENTION_DAYS).up()
            return cls(server, target, owner=True)
        except BaseException:
            server.stop()
            raise

    def load(self, tables: Iterable[Any], until_ms: int) -> float:
        """Insert rows of `visits_input`, merge what a day of quiet would, settle; seconds that ClickHouse took.

        Settled is what was made before `until_ms`, the end of the city, not of the present day: so the last day is as
        young to questions to the second as it is in a city that goes on, at whatever hour this runs.
        """
        took = 0.0
        for table in tables:
            began = time.perf_counter()
            self.insert(table)
            took += time.perf_counter() - began
        began = time.perf_counter()
        self.merge(ORDERS)
        settle(self.client, _aware(until_ms))
        self.merge(SETTLED)
        return took + time.perf_counter() - began

    def insert(self, table: Any) -> None:
        """Insert rows as the sink does, in one block."""
        insert_rows(self.client, table)

    def merge(self, tables: Sequence[str]) -> None:
        """Merge every partition into one part."""
        for table in tables:
            self.client.command(f"OPTIMIZE TABLE {table} FINAL")

    def remove_from(self, at_ms: int) -> None:
        """Take away the visits from an instant on, and merge again."""
        for order in ORDERS:
            self.client.command(
                f"ALTER TABLE {order} DELETE WHERE scanned_at >= fromUnixTimestamp64Milli({{at:Int64}})",
                parameters={"at": at_ms},
                settings={"mutations_sync": 2},
            )
        self.merge(ORDERS)

    def visits(self) -> int:
        """Rows in the order by person."""
        return int(self.client.query("SELECT count() FROM visits").result_rows[0][0])

    def know(self, venues: Venues, windows: Sequence[Window]) -> None:
        for table in ("venues", "exposure_windows"):
            self.client.command(f"TRUNCATE TABLE {table}")
        ids = [venue_id(number) for number in range(len(venues))]
        self.client.insert(
            "venues", [ids, venues.lat, venues.lon], column_names=["venue_id", "lat", "lon"], column_oriented=True
        )
        rows = [
            [str(each.window), venue_id(each.venue), _aware(each.span.since_ms), _aware(each.span.until_ms)]
            for each in windows
        ]
        self.client.insert("exposure_windows", rows, column_names=["window_id", "venue_id", "starts_at", "ends_at"])

    def trajectory(self, person: str, span: Span) -> Answer:
        found = self._ask("scanned_at", "trajectory", span, person_token=person)
        return Answer(found.num_rows, lambda: tuple(_ms(found["scanned_at"])))

    def stays(self, person: str, span: Span) -> Answer:
        found = self._ask("scanned_at, left_at", "settled_trajectory", span, person_token=person)
        return Answer(
            found.num_rows, lambda: tuple(sorted(zip(_ms(found["scanned_at"]), _ms(found["left_at"]), strict=True)))
        )

    def contacts(self, person: str, span: Span, dwell: Dwell) -> Answer:
        found = self._ask("contact, overlap_s", "settled_overlaps_of", span, person_token=person, dwell=dwell)
        return Answer(found.num_rows, lambda: pairs(found["contact"], found["overlap_s"]))

    def contacts_now(self, person: str, span: Span) -> Answer:
        found = self._ask("contact, overlap_s", "contacts_of", span, person_token=person)
        return Answer(found.num_rows, lambda: pairs(found["contact"], found["overlap_s"]))

    def companions(self, person: str, span: Span) -> Answer:
        found = self._ask("contact, overlap_s", "settled_overlaps_in_cells", span, person_token=person)
        return Answer(found.num_rows, lambda: pairs(found["contact"], found["overlap_s"]))

    def bulk(self, persons: Sequence[str], span: Span) -> Answer:
        columns = "person, contact, overlap_s"
        found = self._ask(columns, "settled_overlaps_of_many", span, person_tokens=list(persons), dwell="default")
        return Answer(found.num_rows, lambda: (found.num_rows, sum(found["overlap_s"].to_pylist())))

    def second_degree(self, person: str, span: Span, *, count: bool) -> Answer:
        columns = "count() AS people" if count else "contact, first_meeting"
        found = self._ask(columns, "settled_overlap_chain", span, person_token=person)
        if count:
            return Answer(1, lambda: int(found["people"][0].as_py()))
        return Answer(found.num_rows, lambda: found.num_rows)

    def second_degree_size(self, person: str, span: Span) -> Answer:
        size = settled_chain_size(self.client, person, _aware(span.since_ms), _aware(span.until_ms))
        return Answer(size.people, lambda: None)

    def windows(self, windows: Sequence[Window]) -> Answer:
        return self._windows("settled_exposed_in_windows()")

    def windows_now(self, windows: Sequence[Window]) -> Answer:
        return self._windows("exposed_in_windows")

    def windows_stayed(self, windows: Sequence[Window]) -> Answer:
        return self._windows(f"settled_exposed_under_rule(rule_id = '{VENUE_RULE}')")

    def disk_bytes(self) -> int:
        rows = self.client.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
            f"AND table IN {(*ORDERS, *SETTLED)}"
        ).result_rows
        return int(rows[0][0])

    def drop_caches(self) -> None:
        for cache in ("MARK CACHE", "UNCOMPRESSED CACHE", "INDEX MARK CACHE", "PRIMARY INDEX CACHE", "QUERY CACHE"):
            with suppress(Exception):
                self.client.command(f"SYSTEM DROP {cache}")
        drop_from_memory(self._server.data_dir)

    def another(self) -> Self:
        return type(self)(self._server, self.target, owner=False)

    def close(self) -> None:
        self.client.close()
        if self._owner:
            self._server.stop(60)

    def _windows(self, view: str) -> Answer:
        found = self.client.query_arrow(f"SELECT window_id, person_token FROM {view}")
        return Answer(found.num_rows, lambda: found.num_rows)

    def _ask(self, columns: str, view: str, span: Span, **more: str | list[str]) -> Any:
        arguments = {**more, **asking.span(_aware(span.since_ms), _aware(span.until_ms))}
        return self.client.query_arrow(f"SELECT {columns} FROM {asking.called(view, arguments)}", parameters=arguments)


def insert_rows(client: Any, table: Any) -> None:
    """Insert an Arrow table of `visits_input` with the settings of the sink, in one block."""
    client.insert_arrow("visits_input", table, settings=_INSERT)


def _aware(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def _ms(column: Any) -> list[int]:
    return [int(value) for value in column.cast("int64").to_pylist()]
