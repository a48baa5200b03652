"""`/metrics`, `/ping` (alive) and `/ready` (caught up) on a loopback port of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.errors import ConfigurationError
from streams.metrics import WorkerMetrics

WaitingFor = Callable[[], list[str]]
"""What the worker still waits for, in words; empty when it is caught up. Called from any thread."""
Warnings = Callable[[], list[str]]
"""What is wrong and keeps nothing waiting, in words. Called from any thread."""


class HealthServer:
    """Serves health and metrics until closed.

    Args:
        port: on 127.0.0.1; 0: any free one (`port` says which).

    Raises:
        ConfigurationError: the port is taken.
    """

    def __init__(self, port: int, metrics: WorkerMetrics, waiting_for: WaitingFor, warnings: Warnings) -> None:
        class Handler(_Handler):
            pass

        Handler.metrics, Handler.waiting_for = metrics, staticmethod(waiting_for)
        Handler.warnings = staticmethod(warnings)
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on 127.0.0.1:{port} ({error.strerror}); set VENUECODE_WORKER__METRICS_PORT to another "
                "port, or to 0 for any free one"
            ) from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    metrics: WorkerMetrics
    waiting_for: WaitingFor
    warnings: Warnings

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._answer(200, "text/plain; charset=utf-8", b"Ok.\n")
        elif self.path == "/ready":
            waiting = self.waiting_for()
            document = {"ready": not waiting, "waiting_for": waiting, "warnings": self.warnings()}
            body = json.dumps(document).encode() + b"\n"
            self._answer(503 if waiting else 200, "application/json", body)
        elif self.path == "/metrics":
            self.metrics.ready.set(not self.waiting_for())
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(self.metrics.registry))
        else:
            self._answer(404, "text/plain; charset=utf-8", b"/metrics, /ping or /ready\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Not logged: probes come every second."""
