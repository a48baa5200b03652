"""Engine connections lent to requests: a fresh one each, or the one of an HTTP session."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping

from infra.embedded.clickhouse.engine import BASE_SETTINGS, Engine, EngineConnection, Result
from infra.embedded.clickhouse.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, ServerError
from infra.embedded.clickhouse.external import create_external, drop_external
from infra.embedded.clickhouse.request import QueryRequest


class Lease:
    """A connection in one request's hands; used on an engine thread."""

    def __init__(self, engine: Engine, session: Session | None) -> None:
        self._engine = engine
        self._session = session

    def run(
        self, request: QueryRequest, sql: bytes, output_format: str = "TabSeparated", changes_session: bool = False
    ) -> Result:
        """Run one statement under the request's database, settings and parameters.

        Raises:
            ServerError: the engine refused it or failed.
        """
        settings = {**request.settings, "log_comment": request.query_id}
        if self._session is not None:
            return self._session.run(request, settings, sql, output_format, changes_session)
        connection = self._engine.connect()
        try:
            if request.database:
                connection.use(request.database)
            for table in request.tables:
                create_external(connection, table)
            connection.set(settings)
            return connection.run(sql, output_format, request.params)
        finally:
            connection.close()


class Session:
    """An HTTP session: temporary tables, SET and USE last from one request to the next.

    What a request itself brings (database and settings of its address) counts for that request only.
    """

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self._database = "default"
        self._settings: dict[str, str] = dict(BASE_SETTINGS)
        self._brought: set[str] = set()
        self._current_database = "default"

    def run(
        self, request: QueryRequest, settings: Mapping[str, str], sql: bytes, output_format: str, changes_session: bool
    ) -> Result:
        """Run one statement; see `Lease.run`."""
        # It could never be taken back on this connection: `Execution` enforces it.
        settings = {name: value for name, value in settings.items() if name != "readonly"}
        self._restore(keep=set(settings))
        wanted = request.database or self._database
        if wanted != self._current_database:
            self._connection.use(wanted)
            self._current_database = wanted
        try:
            for table in request.tables:
                create_external(self._connection, table)
            self._brought = set(settings)
            self._connection.set(settings)
            return self._connection.run(sql, output_format, request.params)
        finally:
            for table in request.tables:
                drop_external(self._connection, table)
            if changes_session:
                self._take_over(set(settings))

    def close(self) -> None:
        self._connection.close()

    def _restore(self, keep: set[str]) -> None:
        """Give the settings that earlier requests brought their values in the session."""
        gone = self._brought - keep
        back = {name: self._settings[name] for name in gone if name in self._settings}
        defaults = gone - set(back)
        if defaults:
            self._connection.run(("SET " + ", ".join(f"`{name}` = DEFAULT" for name in sorted(defaults))).encode())
        self._connection.set(back)
        self._brought -= gone

    def _take_over(self, brought: set[str]) -> None:
        """After SET or USE: what is in force now belongs to the session."""
        rows = self._connection.run(
            b"SELECT name, value FROM system.settings WHERE changed AND name != 'database'", "JSONCompactEachRow"
        )
        changed = dict(json.loads(line) for line in rows.body.splitlines())
        kept = {name: value for name, value in self._settings.items() if name in brought}
        self._settings = {name: value for name, value in changed.items() if name not in brought} | kept
        name = self._connection.run(b"SELECT currentDatabase()", "TabSeparatedRaw").body.decode().rstrip("\n")
        if name != self._current_database:
            self._database = self._current_database = name


class _Entry:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.busy = True
        self.expires_at = 0.0


class Sessions:
    """The HTTP sessions of the server, each for one request at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def lend(self, request: QueryRequest) -> Lease:
        """A connection for a request; blocks for the fraction of a millisecond that a new one takes.

        Raises:
            ServerError: the session works for another request (SESSION_IS_LOCKED), or does not exist though the
                request says so with `session_check` (SESSION_NOT_FOUND).
        """
        self._forget_expired()
        if request.session_id is None:
            return Lease(self._engine, None)
        with self._lock:
            entry = self._entries.get(request.session_id)
            if entry is None and request.session_check:
                raise ServerError(SESSION_NOT_FOUND, "Session not found", "SESSION_NOT_FOUND")
            if entry is None:
                entry = self._entries[request.session_id] = _Entry(Session(self._engine.connect()))
            elif entry.busy:
                raise ServerError(SESSION_IS_LOCKED, "Session is locked by a concurrent client", "SESSION_IS_LOCKED")
            entry.busy = True
            return Lease(self._engine, entry.session)

    def give_back(self, request: QueryRequest) -> None:
        """The request has ended."""
        if request.session_id is None:
            return
        with self._lock:
            entry = self._entries[request.session_id]
            entry.busy = False
            entry.expires_at = time.monotonic() + (0 if request.close_session else request.session_timeout)
        self._forget_expired()

    def _forget_expired(self) -> None:
        now = time.monotonic()
        with self._lock:
            old = [name for name, entry in self._entries.items() if not entry.busy and entry.expires_at <= now]
            gone = [self._entries.pop(name) for name in old]
        for entry in gone:
            entry.session.close()
