"""The engine: chDB connections, one thread a running query, cancellation.

Every request gets a connection of its own (0.2 ms), so its settings, current database and temporary tables cannot
leak into another's; all connections of the process share one engine. Requests of an HTTP session share one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from infra.embedded.clickhouse import merges
from infra.embedded.clickhouse.errors import ServerError
from infra.embedded.clickhouse.running import RunningQueries

# What a server has, where the embedded engine's command-line heritage differs; and async_insert=0, so that an
# acknowledged insert is a part on disk. Nothing is compiled: no question of ours was sooner for it, and compiling took
# a tenth of the processor time of many short ones (docs/embedded-clickhouse.md).
BASE_SETTINGS: Mapping[str, str] = {
    "implicit_select": "0",
    "allow_introspection_functions": "0",
    "async_insert": "0",
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave.

    Attributes:
        body: the result in the asked format, unless it went into a pipe.
        read_rows, read_bytes, result_rows, written_rows, written_bytes: as the engine counted them for this statement
            alone; written ones include what materialised views wrote.
        elapsed_ns: time in the engine.
    """

    body: bytes = b""
    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_ns: int = 0


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """A quoted SQL identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


class EngineConnection:
    """One session of the engine; used by one thread at a time."""

    def __init__(self, data_dir: str) -> None:
        # Typed loosely: the engine takes text as bytes too, which its annotations do not say.
        self._connection: Any = chdb.connect(data_dir)

    def run(self, sql: bytes, output_format: str = "TabSeparated", params: Mapping[str, str] | None = None) -> Result:
        """Run a statement to its end; blocks, without the interpreter's lock.

        Raises:
            ServerError: the engine refused it or failed.
        """
        try:
            answer = self._connection.query(sql, output_format, params=dict(params or {}))
        except Exception as error:
            raise ServerError.from_engine(str(error)) from None
        written = answer.rows_written()
        # An insert from a pipe counts its source as output of the file, not as rows read from storage.
        return Result(
            body=answer.bytes() or b"",
            read_rows=answer.storage_rows_read() or written,
            read_bytes=answer.storage_bytes_read() or answer.bytes_written(),
            result_rows=0 if written else answer.rows_read(),
            written_rows=written,
            written_bytes=answer.bytes_written(),
            elapsed_ns=int(answer.elapsed() * 1e9),
        )

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings of this session; `readonly` last, for it forbids further changes."""
        ordered = sorted(settings.items(), key=lambda item: item[0] == "readonly")
        if ordered:
            self.run(("SET " + ", ".join(f"{quote_name(name)} = {quote(value)}" for name, value in ordered)).encode())

    def use(self, database: str) -> None:
        """Change the current database.

        Raises:
            ServerError: there is none of this name (UNKNOWN_DATABASE).
        """
        self.run(f"USE {quote_name(database)}".encode())

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.close()


class Engine:
    """The embedded engine on one data directory; one a process.

    Args:
        data_dir: exists, and is locked by the caller.
        threads: statements that run at once; more wait.
    """

    def __init__(self, data_dir: Path, threads: int = 32) -> None:
        self._data_dir = str(data_dir)
        # The engine lives as long as any connection is open: this one keeps it.
        self._anchor = EngineConnection(self._data_dir)
        answer = self._anchor.run(b"SELECT version(), timezone(), displayName()").body.decode().rstrip("\n").split("\t")
        self.version, self.timezone, self.display_name = answer
        self._merges_stand_back()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="query")
        self.running = RunningQueries(self._kill)

    def connect(self) -> EngineConnection:
        """A fresh session with a server's defaults."""
        connection = EngineConnection(self._data_dir)
        connection.set(BASE_SETTINGS)
        return connection

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Run `work` on an engine thread."""
        return self._threads.submit(work)

    def close(self, timeout: float) -> bool:
        """Cancel what runs and close the engine.

        Args:
            timeout: seconds to wait for cancelled statements.

        Returns:
            Whether everything has ended; if not, the process must end without waiting for its threads.
        """
        deadline = time.monotonic() + timeout
        cancelled = self.running.cancel_all()
        ended = all(running.done.wait(max(0.0, deadline - time.monotonic())) for running in cancelled)
        self._threads.shutdown(wait=ended, cancel_futures=True)
        if ended:
            self.running.close()
            self._anchor.close()
        return ended

    def _merges_stand_back(self) -> None:
        # The engine starts its merge threads with the first table that may have merges.
        self._anchor.run(b"CREATE TEMPORARY TABLE first_of_all (row UInt8) ENGINE = MergeTree ORDER BY row")
        merges.stand_back()
        self._anchor.run(b"DROP TEMPORARY TABLE first_of_all")

    def _kill(self, query_id: str) -> bool:
        sql = f"KILL QUERY WHERE Settings['log_comment'] = {quote(query_id)} ASYNC"
        try:
            return bool(self._anchor.run(sql.encode()).body)
        except ServerError:
            return False
