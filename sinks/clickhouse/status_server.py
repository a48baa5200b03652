"""`/metrics`, `/ping` (alive) and `/ready` (reading and writing) on a loopback port."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from schemas.errors import ConfigurationError


class StatusServer:
    """Answers in a thread of its own, from construction until `close`.

    Args:
        port: 0 for any free one.
        registry: what `/metrics` shows.
        waiting_for: what the sink waits for, in words; `/ready` answers 200 when that is nothing, else 503.

    Raises:
        ConfigurationError: the port is taken.
    """

    def __init__(self, port: int, registry: CollectorRegistry, waiting_for: Callable[[], list[str]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
                elif self.path == "/ping":
                    self._answer(HTTPStatus.OK, b"Ok.\n")
                elif self.path == "/ready":
                    waiting = waiting_for()
                    status = HTTPStatus.SERVICE_UNAVAILABLE if waiting else HTTPStatus.OK
                    body = json.dumps({"ready": not waiting, "waiting_for": waiting}).encode() + b"\n"
                    self._answer(status, body, "application/json")
                else:
                    self._answer(HTTPStatus.NOT_FOUND, b"/metrics, /ping, /ready\n")

            def _answer(self, status: HTTPStatus, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Requests are not logged: probes come every few seconds."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise ConfigurationError(f"the metrics port {port} cannot be opened: {error.strerror}") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="status", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that was opened."""
        return int(self._server.server_address[1])

    def write_ready_file(self, path: Path) -> None:
        """Say, at once and whole, which process this is and where it answers."""
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps({"pid": os.getpid(), "metrics_port": self.port}))
        part.replace(path)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
