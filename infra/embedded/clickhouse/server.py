"""The server process: lock, socket, engine, HTTP; ends cleanly on SIGTERM and SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from infra.embedded.clickhouse.lock import DirectoryLock
from infra.logging import configure_logging
from schemas.errors import ConfigurationError, VenuecodeError

if TYPE_CHECKING:
    from infra.embedded.clickhouse.engine import Engine

log = logging.getLogger("infra.embedded.clickhouse")
# After SIGTERM: running queries may finish, then are cancelled, then are abandoned.
_FINISH_SECONDS = 3
_CANCEL_SECONDS = 2
_LONGEST_ADDRESS = 1 << 20


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.embedded.clickhouse", description="The ClickHouse engine behind its HTTP interface."
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="where the databases are; one server at a time")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=8123, help="port to listen on; 0: any free one")
    parser.add_argument("--user", default="default", help="the one user")
    parser.add_argument("--password-file", type=Path, help="file with the user's password; default: none is asked for")
    parser.add_argument("--ready-file", type=Path, help="file to write host, port and pid to, as JSON, when ready")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"], help="of the log")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the server until it is told to end; the exit code."""
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    configure_logging(arguments.log_level, "text")
    try:
        return _run(arguments)
    except VenuecodeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1


def _run(arguments: argparse.Namespace) -> int:
    password = _password(arguments.password_file)
    lock = DirectoryLock(arguments.data_dir)
    lock.acquire()
    listener = _listen(arguments.host, arguments.port)
    # Heavy, so not before everything cheap has been checked.
    from infra.embedded.clickhouse.app import make_app
    from infra.embedded.clickhouse.auth import Credentials
    from infra.embedded.clickhouse.bulk import BulkProtocol
    from infra.embedded.clickhouse.engine import Engine

    engine = Engine(arguments.data_dir)
    app = make_app(engine, Credentials(arguments.user, password))
    config = uvicorn.Config(
        app,
        lifespan="off",
        http=BulkProtocol,
        h11_max_incomplete_event_size=_LONGEST_ADDRESS,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_FINISH_SECONDS + _CANCEL_SECONDS,
    )
    # To uvicorn a response that breaks off on purpose, as the form of an error in mid-stream, is an error of ours.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    asyncio.run(_serve(_Server(config), engine, listener, arguments.ready_file))
    if not engine.close(timeout=_CANCEL_SECONDS):
        log.warning("a query did not end within %d s of its cancellation", _CANCEL_SECONDS)
        logging.shutdown()
        os._exit(0)
    lock.release()
    log.info("stopped")
    return 0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_serve`: uvicorn would raise them again after the shutdown, and exit non-zero."""
        yield


async def _serve(server: _Server, engine: Engine, listener: socket.socket, ready_file: Path | None) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not server.should_exit:
            server.should_exit = True
            loop.call_later(_FINISH_SECONDS, engine.running.cancel_all)

    # The engine's own handlers were installed when it started; these replace them.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    host, port = listener.getsockname()[:2]
    log.info("listening on %s:%d", host, port)
    if ready_file is not None:
        # The socket listens since before the engine started, so whoever reads this can connect.
        text = json.dumps({"host": host, "port": port, "pid": os.getpid()})
        staged = ready_file.with_name(ready_file.name + ".part")
        staged.write_text(text)
        staged.replace(ready_file)
    await server.serve(sockets=[listener])


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(f"cannot read the password file {path}: {error.strerror}") from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off (40 ms a response) only for sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; is another server using the port? choose another --port"
        ) from error
    listener.listen(128)
    return listener
