"""PostgreSQL: one unlogged table, a covering B-tree by person, by place and by venue, ends of stays as loaded."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from infra.bench.contacts.cells import cell_numbers
from infra.bench.contacts.city import Venues
from infra.bench.contacts.engines.base import Answer, Dwell, Span, Unanswerable, Window
from infra.bench.contacts.engines.postgres_server import PostgresServer
from infra.bench.contacts.files import drop_from_memory
from infra.bench.contacts.narrow import RUNS

_DAY: Final = 86_400_000
_TABLE = """
CREATE UNLOGGED TABLE visits (person uuid NOT NULL, place bigint NOT NULL, venue integer NOT NULL, at bigint NOT NULL,
    leave boolean NOT NULL, left_default bigint NOT NULL, left_best bigint NOT NULL)
"""
_INDEXES = (
    "CREATE INDEX by_person ON visits (person, at) INCLUDE (place, leave, left_default, left_best)",
    "CREATE INDEX by_place ON visits (place, at) INCLUDE (person, left_default, left_best) WHERE NOT leave",
    "CREATE INDEX by_venue ON visits (venue, at) INCLUDE (person, left_best) WHERE NOT leave",
    "VACUUM (ANALYZE) visits",
)


class Postgres:
    """See `Engine`.

    Args:
        server: with the table.
        connection: to it.
        owner: whether closing ends the server.
    """

    name = "PostgreSQL"

    def __init__(self, server: PostgresServer, connection: Any, *, owner: bool) -> None:
        self._server, self._connection, self._owner = server, connection, owner

    @classmethod
    def open(cls, folder: Path, memory_mb: int) -> Self:
        """The database in a folder, on a server of its own; an empty one when there is none.

        Raises:
            ConfigurationError: PostgreSQL's server is not installed, or does not start.
        """
        server = PostgresServer(folder, memory_mb)
        return cls(server, server.connect(), owner=True)

    def load(self, stays: Iterable[Any]) -> float:
        """Fill it with stays (`Duck.stays`); the seconds PostgreSQL took to load and to index them."""
        from pyarrow import csv

        self._connection.execute("DROP TABLE IF EXISTS visits")
        self._connection.execute(_TABLE)
        took = 0.0
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        columns = "person, place, venue, at, leave, left_default, left_best"
        with self._connection.cursor().copy(f"COPY visits ({columns}) FROM STDIN (FORMAT csv)") as copy:
            for batch in stays:
                sink = _Buffer()
                csv.write_csv(batch, sink, options)
                began = time.perf_counter()
                copy.write(bytes(sink.content))
                took += time.perf_counter() - began
        began = time.perf_counter()
        for statement in _INDEXES:
            self._connection.execute(statement)
        return took + time.perf_counter() - began

    def visits(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM visits").fetchone()[0])

    def know(self, venues: Venues, windows: Sequence[Window]) -> None:
        cells = cell_numbers(venues.lat, venues.lon).tolist()
        self._connection.execute("DROP TABLE IF EXISTS cells")
        self._connection.execute("CREATE UNLOGGED TABLE cells (venue integer NOT NULL, cell bigint NOT NULL)")
        numbers = "INSERT INTO cells SELECT * FROM unnest(%s::int[], %s::bigint[])"
        self._connection.execute(numbers, [list(range(len(cells))), cells])
        for statement in (
            "CREATE INDEX ON cells (venue, cell)",
            "CREATE INDEX ON cells (cell, venue)",
            "ANALYZE cells",
        ):
            self._connection.execute(statement)

    def trajectory(self, person: str, span: Span) -> Answer:
        found = self._ask(
            "SELECT at FROM visits WHERE person = %s AND at >= %s AND at < %s ORDER BY at",
            [person, span.since_ms, span.until_ms],
        )
        return Answer(len(found), lambda: tuple(at for (at,) in found))

    def stays(self, person: str, span: Span) -> Answer:
        found = self._ask(
            "SELECT at, left_best FROM visits WHERE person = %s AND at >= %s AND at < %s AND NOT leave ORDER BY at",
            [person, span.since_ms, span.until_ms],
        )
        return Answer(len(found), lambda: tuple(sorted(found)))

    def contacts(self, person: str, span: Span, dwell: Dwell) -> Answer:
        found = self._together([person], span, dwell)
        return Answer(len(found), lambda: frozenset((contact.hex, seconds) for _, contact, seconds in found))

    def bulk(self, persons: Sequence[str], span: Span) -> Answer:
        found = self._together(persons, span, "default")
        return Answer(len(found), lambda: (len(found), sum(seconds for _, _, seconds in found)))

    def contacts_now(self, person: str, span: Span) -> Answer:
        raise Unanswerable

    def companions(self, person: str, span: Span) -> Answer:
        # The number of a place is the venue's times `RUNS`, and the run on a trip: trips are in no cell.
        found = self._covered(
            f"""
            mine AS MATERIALIZED (
                SELECT person AS index_case, there.venue::bigint * {RUNS} AS place, greatest(at, %(since)s) AS begins,
                    least(left_best, %(until)s) AS ends
                FROM visits JOIN cells AS here ON here.venue = place / {RUNS} JOIN cells AS there USING (cell)
                WHERE person = ANY(%(persons)s::uuid[]) AND NOT leave AND place %% {RUNS} = 0
                    AND at >= %(since)s - {_DAY} AND at < %(until)s AND left_best > %(since)s
            ),
            {_pieces("left_best", str(_DAY))}
            """,
            [person],
            span,
        )
        return Answer(len(found), lambda: frozenset((contact.hex, seconds) for _, contact, seconds in found))

    def _together(self, persons: Sequence[str], span: Span, dwell: Dwell) -> Any:
        """Seconds together by case and person, each instant once."""
        left = f"left_{dwell}"
        # The longest stay at a place bounds how far back its entries can matter: those of `default` are all alike.
        longest = "length" if dwell == "default" else str(_DAY)
        return self._covered(
            f"""
            mine AS MATERIALIZED (
                SELECT person AS index_case, place, greatest(at, %(since)s) AS begins, least({left}, %(until)s) AS ends,
                    {left} - at AS length
                FROM visits
                WHERE person = ANY(%(persons)s::uuid[]) AND NOT leave AND at >= %(since)s - {_DAY} AND at < %(until)s
                    AND {left} > %(since)s
            ),
            {_pieces(left, longest)}
            """,
            persons,
            span,
        )

    def _covered(self, pieces: str, persons: Sequence[str], span: Span) -> Any:
        """Seconds that a relation `pieces` (index_case, person, piece_begins, piece_ends) covers, each instant once."""
        return self._ask(
            f"""
            WITH {pieces},
            covered AS (
                SELECT *, max(piece_ends) OVER (PARTITION BY index_case, person ORDER BY piece_begins, piece_ends
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
                FROM pieces
            )
            SELECT index_case, person,
                sum(greatest(0, piece_ends - greatest(piece_begins, coalesce(covered_until, 0))))::bigint / 1000
            FROM covered
            GROUP BY index_case, person
            """,
            {"persons": list(persons), "since": span.since_ms, "until": span.until_ms},
        )

    def second_degree(self, person: str, span: Span, *, count: bool) -> Answer:
        raise Unanswerable

    def second_degree_size(self, person: str, span: Span) -> Answer:
        raise Unanswerable

    def windows(self, windows: Sequence[Window]) -> Answer:
        return self._in_windows(windows, "v.at > begins AND v.at < ends")

    def windows_now(self, windows: Sequence[Window]) -> Answer:
        raise Unanswerable

    def windows_stayed(self, windows: Sequence[Window]) -> Answer:
        # No stay is longer than a day.
        return self._in_windows(
            windows, f"v.at > begins - {_DAY} AND v.at < ends AND v.at < v.left_best AND v.left_best > begins"
        )

    def _in_windows(self, windows: Sequence[Window], there: str) -> Answer:
        """Who was there: a condition on a stay `v` and `begins` and `ends` of a window."""
        found = self._ask(
            f"""
            WITH asked AS MATERIALIZED (
                SELECT * FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[]) AS w (number, venue,
                    begins, ends)
            )
            SELECT DISTINCT number, v.person
            FROM asked JOIN visits AS v ON NOT v.leave AND v.venue = asked.venue AND {there}
            """,
            [
                [each.window for each in windows],
                [each.venue for each in windows],
                [each.span.since_ms for each in windows],
                [each.span.until_ms for each in windows],
            ],
        )
        return Answer(len(found), lambda: len(found))

    def disk_bytes(self) -> int:
        found = self._ask("SELECT pg_total_relation_size('visits')")
        return int(found[0][0])

    def drop_caches(self) -> None:
        """The system's cache only: PostgreSQL keeps its own buffers until it is restarted."""
        drop_from_memory(self._server.folder / "data" / "base")

    def another(self) -> Self:
        return type(self)(self._server, self._server.connect(), owner=False)

    def close(self) -> None:
        self._connection.close()
        if self._owner:
            self._server.close()

    def _ask(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters, binary=True).fetchall()
        return found


def _pieces(left: str, longest: str) -> str:
    """When others were at the places of `mine` (index_case, place, begins, ends), by a column of ends."""
    return f"""pieces AS (
                SELECT index_case, v.person, greatest(v.at, begins) AS piece_begins, least(v.{left}, ends) AS piece_ends
                FROM mine JOIN visits AS v ON NOT v.leave AND v.place = mine.place AND v.at < ends
                    AND v.at > begins - {longest} AND v.{left} > begins
                WHERE v.person != index_case AND greatest(v.at, begins) < least(v.{left}, ends)
            )"""


class _Buffer:
    """Where pyarrow writes CSV to."""

    closed = False

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""
