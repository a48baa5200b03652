"""Runs one request: text to statement, statement to the engine, rows and results through pipes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future

from infra.embedded.clickhouse.body import ClientGoneError, RequestBody, RestOfBody
from infra.embedded.clickhouse.engine import Engine, Result
from infra.embedded.clickhouse.errors import READONLY, SYNTAX_ERROR, ServerError
from infra.embedded.clickhouse.insert import Insert, Plain
from infra.embedded.clickhouse.pipes import InputPipe, OutputPipe
from infra.embedded.clickhouse.request import QueryRequest
from infra.embedded.clickhouse.response import QueryResponse
from infra.embedded.clickhouse.running import Running
from infra.embedded.clickhouse.sessions import Lease
from infra.embedded.clickhouse.statement import Select, Statement, may_change, parse

_MAX_TEXT = 64 << 20
_INLINE_VALUES = 256 << 10


class Execution:
    """One statement on its way through the engine."""

    def __init__(
        self, engine: Engine, request: QueryRequest, body: RequestBody, response: QueryResponse, running: Running
    ) -> None:
        self._engine = engine
        self._request = request
        self._body = body
        self._response = response
        self._running = running
        self.work: Future[Result] | None = None
        self._text = bytearray(request.query)
        if self._text:
            self._text += b"\n"

    async def run(self, lease: Lease) -> Result:
        """Run it; the result's rows have been written to the response.

        Raises:
            ServerError: what the client did or the engine met.
            ClientGoneError: the connection was closed while the body was being read.
        """
        statement = await self._statement()
        # Without a session the engine itself sees to `readonly`, on a connection that nobody uses afterwards.
        is_readonly = self._request.settings.get("readonly", "0") != "0"
        if self._request.session_id is not None and is_readonly and may_change(statement):
            raise ServerError(READONLY, "Cannot execute query in readonly mode.", "READONLY")
        if isinstance(statement, Insert) and statement.format == "Values":
            statement = await self._values(statement)
        watcher = None
        if not isinstance(statement, Insert):
            await self._body.drain()
            # A closed connection ends a query; a change that was sent whole runs to its end.
            watcher = asyncio.ensure_future(self._watch(cancels=isinstance(statement, Select)))
        try:
            if isinstance(statement, Insert):
                return await self._insert(statement, lease)
            if isinstance(statement, Select):
                return await self._select(statement, lease)
            return await self._plain(statement, lease)
        finally:
            if watcher is not None:
                watcher.cancel()

    async def _watch(self, *, cancels: bool) -> None:
        await self._body.wait_for_close()
        if cancels:
            self._engine.running.cancel(self._running)

    async def _statement(self) -> Statement:
        parsed_at = 0
        async for piece in self._pieces():
            self._text += piece
            if len(self._text) > _MAX_TEXT:
                raise ServerError(SYNTAX_ERROR, "Max query size exceeded", "SYNTAX_ERROR")
            # Parsed again only when the text has doubled: its length costs a constant number of passes.
            if len(self._text) >= 2 * parsed_at:
                parsed_at = len(self._text)
                statement = parse(bytes(self._text), complete=False, default_format=self._request.default_format)
                if statement is not None:
                    return statement
        statement = parse(bytes(self._text), complete=True, default_format=self._request.default_format)
        if statement is None:
            raise ServerError(SYNTAX_ERROR, "Syntax error: the statement has no end", "SYNTAX_ERROR")
        return statement

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b""
        async for piece in self._body.pieces():
            yield piece

    async def _values(self, statement: Insert) -> Statement:
        """A short VALUES list stays in the text: its expressions may use the request's parameters."""
        async for piece in self._body.pieces():
            self._text += piece
            if len(self._text) > _INLINE_VALUES:
                return statement
        return Plain(bytes(self._text), None) if len(self._text) <= _INLINE_VALUES else statement

    async def _insert(self, statement: Insert, lease: Lease) -> Result:
        pipe = InputPipe()
        sql = statement.sql(pipe.engine_end.path)
        work = self._submit(lambda: lease.run(self._request, sql), on_end=pipe.engine_is_done)
        try:
            with contextlib.suppress(BrokenPipeError):
                await pipe.write(memoryview(self._text)[statement.data_at :])
                rest = self._body.rest()
                if rest is not None:
                    await self._move(rest, pipe)
                async for piece in self._body.pieces():
                    await pipe.write(piece)
        except (ClientGoneError, ServerError, asyncio.CancelledError):
            # The end of the pipe would look like the end of the rows: the statement must be doomed before.
            loop = asyncio.get_running_loop()
            self._engine.running.cancel(self._running, lambda: _call_soon(loop, pipe.finish))
            work.add_done_callback(lambda _: _call_soon(loop, pipe.finish))
            raise
        pipe.finish()
        return await asyncio.shield(asyncio.wrap_future(work))

    async def _move(self, rest: RestOfBody, pipe: InputPipe) -> None:
        with contextlib.suppress(BrokenPipeError):
            await pipe.write(rest.first)
        await rest.move_to(pipe.number)

    async def _select(self, statement: Select, lease: Lease) -> Result:
        pipe = OutputPipe()
        self._response.output_format = statement.format
        sql = statement.sql(pipe.engine_end.path)
        work = self._submit(lambda: lease.run(self._request, sql), on_end=pipe.engine_is_done)
        try:
            async for chunk in pipe.chunks():
                await self._response.write(chunk)
        finally:
            pipe.close()
        return await asyncio.wrap_future(work)

    async def _plain(self, statement: Plain, lease: Lease) -> Result:
        output_format = statement.format or self._request.default_format or "TabSeparated"
        work = self._submit(lambda: lease.run(self._request, statement.text, output_format, statement.changes_session))
        result = await asyncio.shield(asyncio.wrap_future(work))
        if statement.format is not None or result.body:
            self._response.output_format = output_format
        if result.body:
            await self._response.write(result.body)
        return result

    def _submit(self, work: Callable[[], Result], on_end: Callable[[], None] | None = None) -> Future[Result]:
        loop = asyncio.get_running_loop()

        def job() -> Result:
            self._running.raise_if_cancelled()
            return work()

        self.work = self._engine.submit(job)
        self.work.add_done_callback(lambda _: self._engine.running.remove(self._running))
        if on_end is not None:
            self.work.add_done_callback(lambda _: _call_soon(loop, on_end))
        return self.work


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    """Hand work to the loop from another thread; a loop that is closed needs it no more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(work)
