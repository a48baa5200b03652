"""The process that owns the servers of a platform in the background: `python -m infra.platform.supervisor`.

It outlives the shell that started it. Its children do not outlive it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from infra.embedded.identity import ProcessIdentity, identify
from infra.platform.servers import Platform
from infra.platform.state import Component, PlatformFiles, PlatformState, Restart
from infra.settings import Settings
from infra.supervision import Supervisor
from schemas.errors import FatalError, VenuecodeError

_WATCH_S = 0.25


def main(argv: list[str] | None = None) -> int:
    """Start the servers, write the state, wait for SIGTERM, stop the servers, remove the state."""
    arguments = _parse(argv)
    settings = Settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    files = PlatformFiles(arguments.data_dir)
    state = PlatformState(
        supervisor=_identity(os.getpid()),
        phase="starting",
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        brokers=arguments.brokers,
        analysis=arguments.analysis,
        retention_days=None if arguments.analysis else settings.retention.days,
    )
    files.write(state)
    platform = Platform(
        arguments.data_dir,
        arguments.brokers,
        arguments.kafka_port,
        arguments.clickhouse_port,
        user=settings.clickhouse.user,
        password=settings.clickhouse.password.get_secret_value(),
        sustained=True,
    )
    try:
        with platform:
            state = _describe(state, platform)
            files.write(state)
            _watch(platform, state, files, stop)
    except VenuecodeError as error:
        files.write(replace(state, phase="failed", error=str(error)))
        return 1
    files.state.unlink(missing_ok=True)
    return 0


def _watch(platform: Platform, state: PlatformState, files: PlatformFiles, stop: threading.Event) -> None:
    """Until told to stop: a server that ends is started again, and the state says so."""
    servers = Supervisor(platform.services())
    try:
        while not stop.wait(_WATCH_S):
            if servers.tick():
                state = _after(servers, state, platform)
                files.write(state)
    finally:
        servers.close()


def _after(servers: Supervisor, state: PlatformState, platform: Platform) -> PlatformState:
    """The state after something ended, came back or was given up."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = {each.name: each for each in state.restarts}
    for name, found in servers.restarts.items():
        if name not in known or known[name].count != found.count:
            known[name] = Restart(name, found.count, found.reason, now)
    error = "; ".join(servers.failures)
    if servers.down:
        sys.stderr.write(f"{now} does not run: {', '.join(servers.down)} {error}\n")
        return replace(state, restarts=tuple(known.values()), error=error)
    sys.stderr.write(f"{now} runs again\n")
    with contextlib.suppress(FatalError):  # one of them has just ended once more; the next look says so
        state = _describe(state, platform)
    return replace(state, restarts=tuple(known.values()), error=error)


def _describe(state: PlatformState, platform: Platform) -> PlatformState:
    kafka, clickhouse = platform.kafka, platform.clickhouse
    brokers = tuple(
        Component(
            f"kafka-{broker.node.number}",
            _identity(broker.child.pid),
            broker.node.address,
            str(broker.node.data),
            str(broker.node.log),
        )
        for broker in kafka.brokers
    )
    server = Component(
        "clickhouse",
        _identity(clickhouse.pid),
        f"{clickhouse.host}:{clickhouse.port}",
        str(clickhouse.data_dir),
        str(clickhouse.log_path),
    )
    return replace(
        state,
        phase="running",
        bootstrap_servers=kafka.bootstrap_servers,
        clickhouse_port=clickhouse.port,
        components=(*brokers, server),
    )


def _identity(pid: int) -> ProcessIdentity:
    identity = identify(pid)
    if identity is None:
        raise FatalError(f"process {pid} ended while the platform started")
    return identity


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.platform.supervisor")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--brokers", type=int, required=True)
    parser.add_argument("--kafka-port", type=int, required=True)
    parser.add_argument("--clickhouse-port", type=int, required=True)
    parser.add_argument("--analysis", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
