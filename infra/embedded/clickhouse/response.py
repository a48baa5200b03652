"""A response: held back until it is known to be good or too large to hold, then streamed."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import tempfile
from collections.abc import Sequence
from typing import IO

from starlette.types import Send

from infra.embedded.clickhouse.codecs import Encoder
from infra.embedded.clickhouse.engine import Engine, Result
from infra.embedded.clickhouse.errors import ServerError

_HOLD_BYTES = 1 << 20
_SPOOL_BYTES = 16 << 20
_COMPRESS_IN_THREAD_BYTES = 64 << 10
_UNFIT = re.compile(r"[^ -~]")
_TYPES = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "Parquet": "application/octet-stream",
}


def summary(result: Result | None) -> str:
    """The value of X-ClickHouse-Summary."""
    counts = result or Result()
    return json.dumps(
        {
            "read_rows": str(counts.read_rows),
            "read_bytes": str(counts.read_bytes),
            "written_rows": str(counts.written_rows),
            "written_bytes": str(counts.written_bytes),
            "total_rows_to_read": "0",
            "result_rows": str(counts.result_rows),
            "elapsed_ns": str(counts.elapsed_ns),
        },
        separators=(",", ":"),
    )


class QueryResponse:
    """The response to one query.

    Up to 1 MiB of the result (with `wait_end` all of it, on disk) is held back, so that most errors still find the
    headers unsent and become a status.

    Args:
        send: the ASGI channel.
        engine: whose version, time zone and name the headers tell.
        query_id: told in a header.
        wait_end: hold back everything.
    """

    def __init__(self, send: Send, engine: Engine, query_id: str, *, wait_end: bool = False) -> None:
        self._send = send
        self._engine = engine
        self._query_id = query_id
        self._wait_end = wait_end
        self._held: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - closed in `close`
        self._held_bytes = 0
        self._empty = True
        self._tag = secrets.token_hex(8)
        self.started = False
        self.status = 0
        self.output_format: str | None = None
        self.encoder: Encoder | None = None
        self.content_encoding: str | None = None

    async def write(self, data: bytes) -> None:
        """More of the result."""
        self._empty = self._empty and not data
        if self.encoder is not None:
            if len(data) > _COMPRESS_IN_THREAD_BYTES:
                data = await asyncio.to_thread(self.encoder.encode, data)
            else:
                data = self.encoder.encode(data)
        if self.started:
            await self._body(data, more=True)
            return
        self._held.write(data)
        self._held_bytes += len(data)
        if self._held_bytes >= _HOLD_BYTES and not self._wait_end:
            await self._start(200, [])
            await self._send_held(more=True)

    async def finish(self, result: Result | None) -> None:
        """The result is complete."""
        rest = b"" if self.encoder is None or self._empty else self.encoder.finish()
        if self.started:
            await self._body(rest, more=False)
            return
        self._held.write(rest)
        length = self._held_bytes + len(rest)
        if not length:
            self.content_encoding = None
        await self._start(200, [("X-ClickHouse-Summary", summary(result)), ("Content-Length", str(length))])
        await self._send_held(more=False)

    async def fail(
        self, error: ServerError, *, status: int | None = None, extra: Sequence[tuple[str, str]] = ()
    ) -> None:
        """The query failed: a status when nothing was sent yet, else the error in the stream, which then breaks off.

        A stream that breaks off has no last chunk, so a client that does not know the error's form fails as well.
        """
        body = error.render(self._engine.version)
        if self.started:
            await self._body(self._encoded_to_the_end(self._in_stream(body)), more=True)
            return
        self.output_format = self.content_encoding = None
        headers = [
            ("X-ClickHouse-Exception-Code", str(error.code)),
            ("X-ClickHouse-Summary", summary(None)),
            ("Content-Length", str(len(body))),
            *extra,
        ]
        await self._start(status or error.http_status, headers)
        await self._body(body, more=False)

    def close(self) -> None:
        self._held.close()

    def _in_stream(self, body: bytes) -> bytes:
        # The form since server 25.11: marker, tag, message, its length, tag, marker.
        tag = self._tag.encode()
        return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag, body, len(body), tag)

    def _encoded_to_the_end(self, data: bytes) -> bytes:
        return data if self.encoder is None else self.encoder.encode(data) + self.encoder.finish()

    async def _start(self, status: int, more: list[tuple[str, str]]) -> None:
        self.started, self.status = True, status
        kind = _TYPES.get(self.output_format or "", "text/plain; charset=UTF-8")
        headers = [
            ("Content-Type", kind),
            ("X-ClickHouse-Server-Display-Name", self._engine.display_name),
            ("X-ClickHouse-Query-Id", self._query_id),
            ("X-ClickHouse-Timezone", self._engine.timezone),
            ("X-ClickHouse-Exception-Tag", self._tag),
            *more,
        ]
        if self.output_format is not None:
            headers.append(("X-ClickHouse-Format", self.output_format))
        if self.content_encoding is not None:
            headers.append(("Content-Encoding", self.content_encoding))
        encoded = [(name.encode("latin-1"), _UNFIT.sub("?", value).encode("ascii")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _send_held(self, *, more: bool) -> None:
        self._held.seek(0)
        while chunk := self._held.read(_HOLD_BYTES):
            await self._body(chunk, more=True)
        self._held.close()
        if not more:
            await self._body(b"", more=False)

    async def _body(self, data: bytes, *, more: bool) -> None:
        if data or not more:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
