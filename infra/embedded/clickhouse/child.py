"""The server as a child process."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.process import ChildProcess
from schemas.errors import FatalError

_START_SECONDS = 60.0
_POLL_SECONDS = 0.02


class EmbeddedClickHouse:
    """ClickHouse on this machine: a server process that dies with this one.

    Args:
        data_dir: where the databases are, with the server's log; made if missing.
        port: to listen on; 0: any free one.
        user, password: of the one user; without a password none is asked for.
        host: address to listen on.
        log_level: of the server's log.
        niceness: of the server process, as of `ChildProcess`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 8123,
        user: str = "default",
        password: str = "",
        host: str = "127.0.0.1",
        log_level: str = "info",
        niceness: int = 0,
    ) -> None:
        self.data_dir = data_dir
        self.host = host
        self.user = user
        self.password = password
        self._port = port
        self._log_level = log_level
        self._niceness = niceness
        self._child: ChildProcess | None = None

    @property
    def log_path(self) -> Path:
        """Where the server's log is."""
        return self.data_dir / "server.log"

    def start(self) -> Self:
        """Start the process and wait until it answers.

        Raises:
            FatalError: it ended or did not answer within a minute; says where its log is, and the log's end.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        # Private to this start: the directory may turn out to be another server's.
        with tempfile.TemporaryDirectory(prefix="start-", dir=self.data_dir) as private:
            return self._start(Path(private))

    def _start(self, private: Path) -> Self:
        ready_file = private / "ready.json"
        argv = self._argv(private, ready_file)
        self._child = ChildProcess("clickhouse", argv, self.log_path, niceness=self._niceness)
        self._child.start()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._child.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                self._port = int(json.loads(ready_file.read_text())["port"])
                if self._answers():
                    return self
            time.sleep(_POLL_SECONDS)
        tail = self._child.log_tail(20)
        self.kill()
        raise FatalError(f"the embedded ClickHouse did not start; its log {self.log_path} ends with:\n{tail}")

    @property
    def port(self) -> int:
        """Of the HTTP interface; the real one once started."""
        return self._port

    @property
    def pid(self) -> int:
        """Of the server process."""
        return self._running().pid

    def poll(self) -> int | None:
        """The exit code of a process that has ended, else None."""
        return self._running().poll()

    def stop(self, timeout: float = 15.0) -> None:
        """End it: running queries get a few seconds, then are cancelled. Harmless when it has ended."""
        if self._child is not None:
            self._child.stop(timeout)

    def kill(self) -> None:
        """End it at once, as kill -9 does. Harmless when it has ended."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> ChildProcess:
        if self._child is None:
            raise FatalError("the embedded ClickHouse has not been started")
        return self._child

    def _argv(self, private: Path, ready_file: Path) -> list[str]:
        argv = [sys.executable, "-m", "infra.embedded.clickhouse", "--data-dir", str(self.data_dir)]
        argv += ["--host", self.host, "--port", str(self._port), "--user", self.user]
        argv += ["--ready-file", str(ready_file), "--log-level", self._log_level]
        if self.password:
            secret = private / "password"
            secret.write_text(self.password)
            argv += ["--password-file", str(secret)]
        return argv

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self._port, timeout=5)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().read() == b"Ok.\n"
        finally:
            connection.close()
