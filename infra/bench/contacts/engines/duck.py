"""DuckDB: one file, two sorted tables, ends of stays worked out once while loading."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.bench.contacts.engines.base import Answer, Dwell, Span, Window
from infra.bench.contacts.files import drop_from_memory

_RAW = """
CREATE TABLE raw (number BIGINT, person UUID, place BIGINT, venue INTEGER, at BIGINT, leave BOOLEAN,
    default_ms INTEGER, max_ms INTEGER)
"""
_STAYS = """
CREATE TABLE by_person AS
SELECT person, place, venue, at, leave, at + default_ms AS left_default,
    CASE WHEN leave THEN at WHEN explicit IS NOT NULL AND explicit - at <= 86400000 THEN explicit
        WHEN following - at <= max_ms THEN following ELSE at + default_ms END AS left_best
FROM (
    SELECT *, min(CASE WHEN leave THEN at END) OVER (PARTITION BY person, later, venue) AS explicit
    FROM (
        SELECT *,
            count(CASE WHEN NOT leave THEN 1 END) OVER back AS later,
            last_value(CASE WHEN NOT leave THEN at END IGNORE NULLS) OVER back AS following
        FROM raw
        WINDOW back AS (PARTITION BY person ORDER BY at DESC, number DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
)
ORDER BY person, at
"""
_BY_PLACE = """
CREATE TABLE by_place AS
SELECT place, at, person, left_default, left_best, venue FROM by_person WHERE NOT leave ORDER BY place, at
"""
_DAY = 86_400_000


class Duck:
    """See `Engine`.

    Args:
        connection: to a database that is loaded.
        file: of it.
    """

    name = "DuckDB"

    def __init__(self, connection: Any, file: Path) -> None:
        self._connection, self._file = connection, file

    @classmethod
    def load(cls, tables: Iterable[Any], folder: Path, memory_gb: int) -> tuple[Duck, float]:
        """A new database with these Arrow tables (`narrow.NarrowRows`), and the seconds it took DuckDB."""
        import duckdb

        file = folder / "visits.duckdb"
        connection = duckdb.connect(file, config={"memory_limit": f"{memory_gb}GB", "temp_directory": str(folder)})
        connection.execute(_RAW)
        took = 0.0
        for table in tables:
            began = time.perf_counter()
            connection.register("rows_in", table)
            connection.execute("INSERT INTO raw SELECT number, person::UUID, * EXCLUDE (number, person) FROM rows_in")
            connection.unregister("rows_in")
            took += time.perf_counter() - began
        began = time.perf_counter()
        for statement in (_STAYS, "DROP TABLE raw", _BY_PLACE, "CHECKPOINT"):
            connection.execute(statement)
        return cls(connection, file), took + time.perf_counter() - began

    def stays(self) -> Iterator[Any]:
        """All scans with the ends of their stays, as Arrow record batches, by person and time."""
        yield from self._connection.execute("SELECT * FROM by_person").to_arrow_reader(500_000)

    def trajectory(self, person: str, span: Span) -> Answer:
        found = self._connection.execute(
            "SELECT at FROM by_person WHERE person = ?::UUID AND at >= ? AND at < ? ORDER BY at",
            [person, span.since_ms, span.until_ms],
        ).fetchall()
        return Answer(len(found), lambda: tuple(at for (at,) in found))

    def contacts(self, person: str, span: Span, dwell: Dwell) -> Answer:
        left = f"left_{dwell}"
        found = self._connection.execute(
            f"""
            WITH mine AS (
                SELECT place, greatest(at, $since) AS begins, least({left}, $until) AS ends, at
                FROM by_person
                WHERE person = $person::UUID AND NOT leave AND at >= $since - {_DAY} AND at < $until AND {left} > $since
            )
            SELECT v.person::VARCHAR, sum(least(v.{left}, ends) - greatest(v.at, begins)) // 1000
            FROM by_place AS v JOIN mine ON v.place = mine.place
            WHERE v.place IN (SELECT place FROM mine) AND v.at < ends AND v.{left} > begins AND v.at >= begins - {_DAY}
                AND v.person != $person::UUID
            GROUP BY v.person
            """,
            {"person": person, "since": span.since_ms, "until": span.until_ms},
        ).fetchnumpy()
        people, seconds = found.values()

        def content() -> frozenset[tuple[str, int]]:
            return frozenset(zip((text.replace("-", "") for text in people), seconds.tolist(), strict=True))

        return Answer(len(people), content)

    def bulk(self, persons: Sequence[str], span: Span) -> Answer:
        found = self._connection.execute(
            f"""
            WITH mine AS (
                SELECT person AS index_case, place, greatest(at, $since) AS begins, least(left_default, $until) AS ends
                FROM by_person
                WHERE person IN (SELECT unnest($persons)::UUID) AND NOT leave AND at >= $since - {_DAY}
                    AND at < $until AND left_default > $since
            )
            SELECT index_case, v.person, sum(least(v.left_default, ends) - greatest(v.at, begins)) // 1000
            FROM by_place AS v JOIN mine ON v.place = mine.place AND v.at < ends AND v.left_default > begins
            WHERE v.person != index_case
            GROUP BY index_case, v.person
            """,
            {"persons": list(persons), "since": span.since_ms, "until": span.until_ms},
        ).to_arrow_table()
        return Answer(found.num_rows, lambda: found.num_rows)

    def second_degree(self, person: str, span: Span) -> Answer:
        (count,) = self._connection.execute(
            f"""
            WITH mine AS (
                SELECT place, greatest(at, $since) AS begins, least(left_default, $until) AS ends
                FROM by_person
                WHERE person = $person::UUID AND NOT leave AND at >= $since - {_DAY} AND at < $until
                    AND left_default > $since
            ),
            first AS (
                SELECT v.person, min(greatest(v.at, begins)) AS met
                FROM by_place AS v JOIN mine ON v.place = mine.place AND v.at < ends AND v.left_default > begins
                WHERE v.person != $person::UUID
                GROUP BY v.person
            ),
            theirs AS (
                SELECT place, greatest(at, met) AS begins, least(left_default, $until) AS ends
                FROM by_person JOIN first USING (person)
                WHERE NOT leave AND at < $until AND left_default > met
            )
            SELECT count(DISTINCT v.person)
            FROM by_place AS v JOIN theirs ON v.place = theirs.place AND v.at < ends AND v.left_default > begins
            WHERE v.person != $person::UUID AND v.person NOT IN (SELECT person FROM first)
            """,
            {"person": person, "since": span.since_ms, "until": span.until_ms},
        ).fetchone()
        return Answer(1, lambda: int(count))

    def windows(self, windows: Sequence[Window]) -> Answer:
        import pyarrow as pa

        self._connection.register(
            "windows_in",
            pa.table(
                {
                    "number": [each.window for each in windows],
                    "venue": [each.venue for each in windows],
                    "begins": [each.span.since_ms for each in windows],
                    "ends": [each.span.until_ms for each in windows],
                }
            ),
        )
        found = self._connection.execute(
            "SELECT DISTINCT w.number, v.person FROM by_place AS v JOIN windows_in AS w "
            "ON v.venue = w.venue AND v.at > w.begins AND v.at < w.ends"
        ).to_arrow_table()
        return Answer(found.num_rows, lambda: found.num_rows)

    def disk_bytes(self) -> int:
        return self._file.stat().st_size

    def drop_caches(self) -> None:
        drop_from_memory(self._file)

    def another(self) -> Duck:
        return Duck(self._connection.cursor(), self._file)

    def close(self) -> None:
        self._connection.close()
