"""PostgreSQL: one unlogged table, a covering B-tree by person and one by place, ends of stays as loaded."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from infra.bench.contacts.engines.base import Answer, Dwell, Span, Window
from infra.bench.contacts.files import drop_from_memory
from schemas.errors import ConfigurationError

_DAY = 86_400_000
_START_S = 60.0
_TABLE = """
CREATE UNLOGGED TABLE visits (person uuid NOT NULL, place bigint NOT NULL, venue integer NOT NULL, at bigint NOT NULL,
    leave boolean NOT NULL, left_default bigint NOT NULL, left_best bigint NOT NULL)
"""
_INDEXES = (
    "CREATE INDEX by_person ON visits (person, at) INCLUDE (place, leave, left_default, left_best)",
    "CREATE INDEX by_place ON visits (place, at) INCLUDE (person, left_default, left_best) WHERE NOT leave",
    "CREATE INDEX by_venue ON visits (venue, at) INCLUDE (person) WHERE NOT leave",
    "VACUUM (ANALYZE) visits",
)


def find_programs() -> Path:
    """The folder of PostgreSQL's server programs.

    Raises:
        ConfigurationError: there are none here.
    """
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        raise ConfigurationError("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    return folders[-1].parent


class PostgresServer:
    """A server of its own, on a socket in a folder of its own; ends with `close`.

    Args:
        folder: empty or not there; is filled with the data.
        memory_mb: for its cache.
    """

    def __init__(self, folder: Path, memory_mb: int) -> None:
        self._programs, self.folder = find_programs(), folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The server refuses to run as root; there its package's own user runs it.
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "postgres"
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(folder / "data"), "-U", "bench", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "shared_buffers": f"{memory_mb}MB",
            "maintenance_work_mem": f"{memory_mb // 2}MB",
            "work_mem": "256MB",
            "max_wal_size": "8GB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "synchronous_commit": "off",
            "effective_cache_size": f"{4 * memory_mb}MB",
            "random_page_cost": "1.1",
            "jit": "off",
        }
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        self._run("pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-t", str(_START_S), "start")

    def connect(self) -> Any:
        """A connection, committing after every statement."""
        import psycopg

        return psycopg.connect(host=str(self.folder), user="bench", dbname="postgres", autocommit=True)

    def close(self) -> None:
        """Stop the server and wait for its end."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigurationError(f"PostgreSQL's {program} failed: {done.stderr.strip()[-500:]}")


class Postgres:
    """See `Engine`.

    Args:
        server: with the table loaded.
        connection: to it.
        owner: whether closing ends the server.
    """

    name = "PostgreSQL"

    def __init__(self, server: PostgresServer, connection: Any, *, owner: bool) -> None:
        self._server, self._connection, self._owner = server, connection, owner

    @classmethod
    def load(cls, stays: Iterable[Any], folder: Path, memory_mb: int) -> tuple[Postgres, float]:
        """A new server with these stays (`Duck.stays`), and the seconds PostgreSQL took to load and to index them."""
        from pyarrow import csv

        server = PostgresServer(folder, memory_mb)
        connection = server.connect()
        connection.execute(_TABLE)
        took = 0.0
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        columns = "person, place, venue, at, leave, left_default, left_best"
        with connection.cursor().copy(f"COPY visits ({columns}) FROM STDIN (FORMAT csv)") as copy:
            for batch in stays:
                sink = _Buffer()
                csv.write_csv(batch, sink, options)
                began = time.perf_counter()
                copy.write(bytes(sink.content))
                took += time.perf_counter() - began
        began = time.perf_counter()
        for statement in _INDEXES:
            connection.execute(statement)
        return cls(server, connection, owner=True), took + time.perf_counter() - began

    def trajectory(self, person: str, span: Span) -> list[tuple[int]]:
        found: list[tuple[int]] = self._connection.execute(
            "SELECT at FROM visits WHERE person = %s AND at >= %s AND at < %s ORDER BY at",
            [person, span.since_ms, span.until_ms],
            binary=True,
        ).fetchall()
        return found

    def contacts(self, person: str, span: Span, dwell: Dwell) -> dict[str, int]:
        left = f"left_{dwell}"
        found = self._connection.execute(
            f"""
            WITH mine AS MATERIALIZED (
                SELECT place, greatest(at, %(since)s) AS begins, least({left}, %(until)s) AS ends, {left} - at AS length
                FROM visits
                WHERE person = %(person)s AND NOT leave AND at >= %(since)s - {_DAY} AND at < %(until)s
                    AND {left} > %(since)s
            )
            SELECT v.person, sum(least(v.{left}, ends) - greatest(v.at, begins))::bigint / 1000
            FROM mine JOIN visits AS v ON NOT v.leave AND v.place = mine.place AND v.at < ends
                AND v.at > begins - {"length" if dwell == "default" else _DAY} AND v.{left} > begins
            WHERE v.person != %(person)s
            GROUP BY v.person
            """,
            {"person": person, "since": span.since_ms, "until": span.until_ms},
            binary=True,
        ).fetchall()
        return {person.hex: seconds for person, seconds in found}

    def bulk(self, persons: Sequence[str], span: Span) -> int:
        found = self._connection.execute(
            f"""
            WITH mine AS MATERIALIZED (
                SELECT person AS index_case, place, greatest(at, %(since)s) AS begins,
                    least(left_default, %(until)s) AS ends, left_default - at AS length
                FROM visits
                WHERE person = ANY(%(persons)s::uuid[]) AND NOT leave AND at >= %(since)s - {_DAY} AND at < %(until)s
                    AND left_default > %(since)s
            )
            SELECT count(*) FROM (
                SELECT index_case, v.person, sum(least(v.left_default, ends) - greatest(v.at, begins)) / 1000
                FROM mine JOIN visits AS v ON NOT v.leave AND v.place = mine.place AND v.at < ends
                    AND v.at > begins - length AND v.left_default > begins
                WHERE v.person != index_case
                GROUP BY index_case, v.person
            ) AS pairs
            """,
            {"persons": list(persons), "since": span.since_ms, "until": span.until_ms},
        ).fetchone()
        return int(found[0])

    def second_degree(self, person: str, span: Span) -> int:
        found = self._connection.execute(
            f"""
            WITH mine AS MATERIALIZED (
                SELECT place, greatest(at, %(since)s) AS begins, least(left_default, %(until)s) AS ends,
                    left_default - at AS length
                FROM visits
                WHERE person = %(person)s AND NOT leave AND at >= %(since)s - {_DAY} AND at < %(until)s
                    AND left_default > %(since)s
            ),
            first AS MATERIALIZED (
                SELECT v.person, min(greatest(v.at, begins)) AS met
                FROM mine JOIN visits AS v ON NOT v.leave AND v.place = mine.place AND v.at < ends
                    AND v.at > begins - length AND v.left_default > begins
                WHERE v.person != %(person)s
                GROUP BY v.person
            ),
            theirs AS MATERIALIZED (
                SELECT place, greatest(at, met) AS begins, least(left_default, %(until)s) AS ends,
                    left_default - at AS length
                FROM first JOIN visits USING (person)
                WHERE NOT leave AND at >= met - {_DAY} AND at < %(until)s AND left_default > met
            )
            SELECT count(*) FROM (
                SELECT DISTINCT v.person
                FROM theirs JOIN visits AS v ON NOT v.leave AND v.place = theirs.place AND v.at < ends
                    AND v.at > begins - length AND v.left_default > begins
                WHERE v.person != %(person)s
                EXCEPT SELECT person FROM first
            ) AS people
            """,
            {"person": person, "since": span.since_ms, "until": span.until_ms},
        ).fetchone()
        return int(found[0])

    def windows(self, windows: Sequence[Window]) -> int:
        found = self._connection.execute(
            """
            WITH asked AS MATERIALIZED (
                SELECT * FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[]) AS w (number, venue, begins, ends)
            )
            SELECT count(*) FROM (
                SELECT DISTINCT number, v.person
                FROM asked JOIN visits AS v ON NOT v.leave AND v.venue = asked.venue AND v.at > begins AND v.at < ends
            ) AS pairs
            """,
            [
                [each.window for each in windows],
                [each.venue for each in windows],
                [each.span.since_ms for each in windows],
                [each.span.until_ms for each in windows],
            ],
        ).fetchone()
        return int(found[0])

    def disk_bytes(self) -> int:
        found = self._connection.execute("SELECT pg_total_relation_size('visits')").fetchone()
        return int(found[0])

    def drop_caches(self) -> None:
        """The system's cache only: PostgreSQL keeps its own buffers until it is restarted."""
        drop_from_memory(self._server.folder / "data" / "base")

    def another(self) -> Postgres:
        return Postgres(self._server, self._server.connect(), owner=False)

    def close(self) -> None:
        self._connection.close()
        if self._owner:
            self._server.close()


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

