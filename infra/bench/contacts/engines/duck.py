"""DuckDB: one file, two sorted tables, ends of stays worked out once while loading."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from infra.bench.contacts.cells import cell_numbers
from infra.bench.contacts.city import Venues
from infra.bench.contacts.engines.base import Answer, Dwell, Span, Unanswerable, Window, pairs
from infra.bench.contacts.files import drop_from_memory
from infra.bench.contacts.narrow import RUNS

_RAW = """
CREATE TABLE staging.raw (number BIGINT, person UUID, place BIGINT, venue INTEGER, at_ms BIGINT, leave BOOLEAN,
    default_ms INTEGER, max_ms INTEGER)
"""
# The meaning is in docs/co-presence.md: a round is the entries at one place in a row, and the leaves after them.
_STAYS = """
CREATE TABLE by_person AS
SELECT person, place, venue, at_ms, leave, at_ms + default_ms AS left_default,
    CASE WHEN leave THEN at_ms WHEN leave_at - at_ms <= 86400000 THEN leave_at
        WHEN next_at - at_ms <= max_ms THEN next_at ELSE at_ms + default_ms END AS left_best
FROM (
    SELECT *,
        min(CASE WHEN NOT leave THEN at_ms END)
            OVER (PARTITION BY person ORDER BY round RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_at,
        last_value(CASE WHEN leave THEN at_ms END IGNORE NULLS) OVER (PARTITION BY person, round, venue
            ORDER BY at_ms DESC, number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS leave_at
    FROM (
        SELECT *, sum(CASE WHEN NOT leave AND place != place_before THEN 1 ELSE 0 END) OVER (PARTITION BY person
            ORDER BY at_ms, number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS round
        FROM (
            SELECT *, coalesce(last_value(CASE WHEN NOT leave THEN place END IGNORE NULLS) OVER (PARTITION BY person
                ORDER BY at_ms, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -1) AS place_before
            FROM staging.raw
        )
    )
)
ORDER BY person, at_ms
"""
_BY_PLACE = """
CREATE TABLE by_place AS
SELECT place, at_ms, person, left_default, left_best, venue FROM by_person WHERE NOT leave ORDER BY place, at_ms
"""
_DAY: Final = 86_400_000
_FILE: Final = "visits.duckdb"


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
    def open(cls, folder: Path, memory_gb: int) -> Self:
        """The database in a folder; an empty one when there is none."""
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        options = {"memory_limit": f"{memory_gb}GB", "temp_directory": str(folder / "spilled")}
        return cls(duckdb.connect(folder / _FILE, config=options), folder / _FILE)

    def load(self, tables: Iterable[Any]) -> float:
        """Fill it with Arrow tables (`narrow.NarrowRows`); seconds that DuckDB took."""
        staging = self._file.with_name("staging.duckdb")
        staging.unlink(missing_ok=True)
        self._connection.execute(f"ATTACH '{staging}' AS staging")
        self._connection.execute(_RAW)
        took = 0.0
        for table in tables:
            began = time.perf_counter()
            self._connection.register("rows_in", table)
            self._connection.execute(
                "INSERT INTO staging.raw SELECT number, person::UUID, * EXCLUDE (number, person) FROM rows_in"
            )
            self._connection.unregister("rows_in")
            took += time.perf_counter() - began
        began = time.perf_counter()
        for statement in (_STAYS, "DETACH staging", _BY_PLACE, "CHECKPOINT"):
            self._connection.execute(statement)
        staging.unlink()
        return took + time.perf_counter() - began

    def scans(self) -> Iterator[Any]:
        """All scans with the ends of their stays, as Arrow record batches, by person and time."""
        yield from self._connection.sql("SELECT * FROM by_person").to_arrow_reader(500_000)

    def visits(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM by_person").fetchone()[0])

    def know(self, venues: Venues, windows: Sequence[Window]) -> None:
        import pyarrow as pa

        cells = cell_numbers(venues.lat, venues.lon)
        self._connection.register("cells_in", pa.table({"venue": np.arange(len(cells), dtype=np.int32), "cell": cells}))
        self._connection.execute("CREATE OR REPLACE TABLE cells AS SELECT * FROM cells_in")
        self._connection.unregister("cells_in")

    def trajectory(self, person: str, span: Span) -> Answer:
        found = self._connection.execute(
            "SELECT at_ms FROM by_person WHERE person = ?::UUID AND at_ms >= ? AND at_ms < ? ORDER BY at_ms",
            [person, span.since_ms, span.until_ms],
        ).fetchall()
        return Answer(len(found), lambda: tuple(at for (at,) in found))

    def stays(self, person: str, span: Span) -> Answer:
        found = self._connection.execute(
            "SELECT at_ms, left_best FROM by_person WHERE person = ?::UUID AND at_ms >= ? AND at_ms < ? AND NOT leave "
            "ORDER BY at_ms",
            [person, span.since_ms, span.until_ms],
        ).fetchall()
        return Answer(len(found), lambda: tuple(sorted(found)))

    def contacts(self, person: str, span: Span, dwell: Dwell) -> Answer:
        found = self._together([person], span, dwell)
        return Answer(found.num_rows, lambda: pairs(found["person"], found["seconds"]))

    def bulk(self, persons: Sequence[str], span: Span) -> Answer:
        found = self._together(persons, span, "default")
        return Answer(found.num_rows, lambda: (found.num_rows, sum(found["seconds"].to_pylist())))

    def contacts_now(self, person: str, span: Span) -> Answer:
        raise Unanswerable

    def companions(self, person: str, span: Span) -> Answer:
        # The number of a place is the venue's times `RUNS`, and the run on a trip: trips are in no cell.
        found = self._covered(
            f"""
            mine AS (
                SELECT person AS index_case, cell, greatest(at_ms, $since) AS begins, least(left_best, $until) AS ends
                FROM by_person JOIN cells USING (venue)
                WHERE person IN (SELECT unnest($persons)::UUID) AND NOT leave AND place % {RUNS} = 0
                    AND at_ms >= $since - {_DAY} AND at_ms < $until AND left_best > $since
            ),
            near AS (SELECT mine.*, venue * {RUNS} AS place FROM mine JOIN cells USING (cell)),
            {_pieces("near", "left_best")}
            """,
            [person],
            span,
        )
        return Answer(found.num_rows, lambda: pairs(found["person"], found["seconds"]))

    def _together(self, persons: Sequence[str], span: Span, dwell: Dwell) -> Any:
        """Seconds together by case and person, each instant once."""
        left = f"left_{dwell}"
        return self._covered(
            f"""
            mine AS (
                SELECT person AS index_case, place, greatest(at_ms, $since) AS begins, least({left}, $until) AS ends
                FROM by_person
                WHERE person IN (SELECT unnest($persons)::UUID) AND NOT leave AND at_ms >= $since - {_DAY}
                    AND at_ms < $until AND {left} > $since
            ),
            {_pieces("mine", left)}
            """,
            persons,
            span,
        )

    def _covered(self, pieces: str, persons: Sequence[str], span: Span) -> Any:
        """Seconds that a relation `pieces` (index_case, person, piece_begins, piece_ends) covers, each instant once."""
        return self._connection.sql(
            f"""
            WITH {pieces},
            covered AS (
                SELECT *, max(piece_ends) OVER (PARTITION BY index_case, person ORDER BY piece_begins, piece_ends
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
                FROM pieces
            )
            SELECT index_case, replace(person::VARCHAR, '-', '') AS person,
                sum(greatest(0, piece_ends - greatest(piece_begins, coalesce(covered_until, 0))))::BIGINT // 1000
                    AS seconds
            FROM covered
            GROUP BY index_case, covered.person
            """,
            params={"persons": list(persons), "since": span.since_ms, "until": span.until_ms},
        ).to_arrow_table()

    def second_degree(self, person: str, span: Span, *, count: bool) -> Answer:
        found = self._connection.sql(
            f"""
            WITH first AS MATERIALIZED (
                SELECT v.person, min(greatest(v.at_ms, m.at_ms, $since)) AS met_ms
                FROM by_place AS v JOIN by_person AS m ON v.place = m.place AND NOT m.leave
                    AND v.at_ms < m.left_best AND m.at_ms < v.left_best
                WHERE m.person = $person::UUID AND v.person != m.person
                    AND m.at_ms >= $since - {_DAY} AND m.at_ms < $until AND v.at_ms >= $since - {_DAY}
                    AND greatest(v.at_ms, m.at_ms, $since) < least(v.left_best, m.left_best, $until)
                GROUP BY v.person
            ),
            theirs AS MATERIALIZED (
                SELECT place, greatest(at_ms, met_ms) AS begins, least(left_best, $until) AS ends
                FROM by_person JOIN first USING (person)
                WHERE NOT leave AND at_ms >= $since - {_DAY} AND at_ms < $until
                    AND greatest(at_ms, met_ms) < least(left_best, $until)
            ),
            marked AS (
                SELECT *, max(ends) OVER (PARTITION BY place ORDER BY begins, ends
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM theirs
            ),
            numbered AS (
                SELECT *, sum(CASE WHEN begins <= before THEN 0 ELSE 1 END) OVER (PARTITION BY place
                    ORDER BY begins, ends ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stretch
                FROM marked
            ),
            stretches AS (
                SELECT place, min(begins) AS begins, max(ends) AS ends FROM numbered GROUP BY place, stretch
            )
            SELECT person FROM first
            UNION
            SELECT v.person FROM by_place AS v ASOF JOIN stretches AS s ON v.place = s.place AND v.at_ms < s.ends
            WHERE s.begins < v.left_best AND v.at_ms < v.left_best AND v.person != $person::UUID
                AND v.at_ms >= $since - {_DAY} AND v.at_ms < $until
            """,
            params={"person": person, "since": span.since_ms, "until": span.until_ms},
        )
        people = found.count("*").fetchall()[0][0] if count else found.to_arrow_table().num_rows
        return Answer(1 if count else int(people), lambda: int(people))

    def second_degree_size(self, person: str, span: Span) -> Answer:
        raise Unanswerable

    def windows(self, windows: Sequence[Window]) -> Answer:
        return self._in_windows(windows, "v.at_ms > w.begins AND v.at_ms < w.ends")

    def windows_now(self, windows: Sequence[Window]) -> Answer:
        raise Unanswerable

    def windows_stayed(self, windows: Sequence[Window]) -> Answer:
        return self._in_windows(windows, "v.at_ms < v.left_best AND v.left_best > w.begins AND v.at_ms < w.ends")

    def _in_windows(self, windows: Sequence[Window], there: str) -> Answer:
        """Who was there: a condition on a stay `v` and a window `w`."""
        import pyarrow as pa

        asked = {
            "number": [each.window for each in windows],
            "venue": [each.venue for each in windows],
            "begins": [each.span.since_ms for each in windows],
            "ends": [each.span.until_ms for each in windows],
        }
        self._connection.register("windows_in", pa.table(asked))
        found = self._connection.sql(
            "SELECT DISTINCT w.number, v.person FROM by_place AS v JOIN windows_in AS w "
            f"ON v.venue = w.venue AND {there}"
        ).to_arrow_table()
        return Answer(found.num_rows, lambda: found.num_rows)

    def disk_bytes(self) -> int:
        return self._file.stat().st_size

    def drop_caches(self) -> None:
        drop_from_memory(self._file)

    def another(self) -> Self:
        return type(self)(self._connection.cursor(), self._file)

    def close(self) -> None:
        self._connection.close()


def _pieces(near: str, left: str) -> str:
    """When others were at the places of a relation (index_case, place, begins, ends), by a column of ends."""
    return f"""pieces AS (
                SELECT index_case, v.person, greatest(v.at_ms, begins) AS piece_begins,
                    least(v.{left}, ends) AS piece_ends
                FROM by_place AS v JOIN {near} ON v.place = {near}.place AND v.at_ms < ends AND v.{left} > begins
                WHERE v.place IN (SELECT place FROM {near}) AND v.at_ms >= $since - {_DAY} AND v.at_ms < $until
                    AND v.person != index_case AND greatest(v.at_ms, begins) < least(v.{left}, ends)
            )"""
