"""A ClickHouse server behind a proxy that answers chosen inserts itself, as a server in trouble would."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.clickhouse_fixtures import ClickHouseServer


@dataclass(frozen=True, slots=True)
class Trouble:
    """What becomes of one insert.

    Attributes:
        code: ClickHouse's number of the error that is answered; None: an answer that is none of ClickHouse's.
        status: of that answer; 0: the connection is closed instead.
        stored: the insert reaches the server all the same.
    """

    code: int | None = None
    status: int = 500
    stored: bool = False


@dataclass
class TroubledServer:
    """Where the proxy listens.

    Attributes:
        coming: what is still to go wrong, next first.
        refused: an insert that holds these bytes is answered as one with a bad row.
        inserts: how many came.
    """

    host: str
    port: int
    coming: list[Trouble] = field(default_factory=list)
    refused: bytes = b""
    inserts: int = 0


@contextmanager
def troubled(server: ClickHouseServer) -> Iterator[TroubledServer]:
    """The proxy, in front of a server."""
    found = TroubledServer("127.0.0.1", 0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "INSERT" not in self.path:
                self._pass_on(body)
                return
            found.inserts += 1
            trouble = found.coming.pop(0) if found.coming else None
            if trouble is None and found.refused and found.refused in body:
                trouble = Trouble(117, 400)
            if trouble is None or trouble.stored:
                self._pass_on(body, silent=trouble is not None)
            if trouble is not None:
                self._refuse(trouble)

        def _pass_on(self, body: bytes, *, silent: bool = False) -> None:
            link = http.client.HTTPConnection(server.host, server.port, timeout=60)
            passed = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            link.request(self.command, self.path, body, passed)
            answer = link.getresponse()
            content = answer.read()
            link.close()
            if not silent:
                kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
                self._answer(answer.status, content, kept)

        def _refuse(self, trouble: Trouble) -> None:
            if not trouble.status:
                self.close_connection = True
                return
            if trouble.code is None:
                self._answer(trouble.status, b"<html>upstream</html>", [])
                return
            text = f"Code: {trouble.code}. DB::Exception: trouble. (TROUBLE) (version 26.9)".encode()
            self._answer(trouble.status, text, [("X-ClickHouse-Exception-Code", str(trouble.code))])

        def _answer(self, status: int, content: bytes, headers: list[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(content)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    proxy = ThreadingHTTPServer((found.host, 0), Handler)
    found.port = proxy.server_address[1]
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server", "keep-alive")
