"""Up and down: starts and ends the platform in the background."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.identity import ProcessIdentity
from infra.embedded.kafka import ensure_jars
from infra.embedded.process import ChildProcess
from infra.platform.health import Report, report
from infra.platform.state import PlatformFiles, PlatformState
from schemas.errors import ConfigurationError, FatalError

_START_S = 150.0
_STOP_S = 60.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """What `up` is asked for; a port of 0 is any free one."""

    data_dir: Path
    brokers: int = 1
    kafka_port: int = 9092
    clickhouse_port: int = 8123
    analysis: bool = False


@dataclass(frozen=True, slots=True)
class UpOutcome:
    """The running platform; `already` when it ran before."""

    state: PlatformState
    already: bool


def up(options: PlatformOptions) -> UpOutcome:
    """Have a platform running on the data directory; one of which a server has ended is started again as a whole.

    Raises:
        ConfigurationError: what runs there, or the data there, is of another kind; a port is taken; ...
        RetryableError: Kafka's jars are not here yet and cannot be downloaded.
        FatalError: a server did not come up; names its log and the log's end.
    """
    files = PlatformFiles(options.data_dir)
    _check_retention(files, options)
    ensure_jars()
    with _locked(files):
        current = report(files)
        if current.state is not None and current.healthy:
            _check_same(current.state, options)
            return UpOutcome(current.state, already=True)
        _end(current)
        files.state.unlink(missing_ok=True)
        state = _start(files, options)
        if options.analysis:
            files.analysis_mark.touch()  # before any table or topic keeps its records for ever
        return UpOutcome(state, already=False)


def down(data_dir: Path) -> bool:
    """Stop the platform of a data directory cleanly.

    Returns:
        Whether one ran.
    """
    files = PlatformFiles(data_dir)
    if not data_dir.is_dir():
        return False
    with _locked(files):
        ran = _end(report(files))
        files.state.unlink(missing_ok=True)
        return ran


def delete_data(data_dir: Path, snapshot_dir: Path | None = None) -> None:
    """Delete what a stopped platform stored; what else is in the directory stays.

    Args:
        data_dir: of the platform.
        snapshot_dir: of the workers' snapshots of the status store, which hold person tokens.

    Raises:
        FatalError: it runs.
    """
    files = PlatformFiles(data_dir)
    if report(files).running:
        raise FatalError(f"the platform on {data_dir} runs; stop it first: `venuecode platform down`")
    for path in files.all:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if snapshot_dir is not None:
        from streams.statuses.snapshots import delete_snapshots

        delete_snapshots(snapshot_dir)
    with contextlib.suppress(OSError):
        data_dir.rmdir()


def _start(files: PlatformFiles, options: PlatformOptions) -> PlatformState:
    arguments = ["--data-dir", str(options.data_dir), "--brokers", str(options.brokers)]
    arguments += ["--kafka-port", str(options.kafka_port), "--clickhouse-port", str(options.clickhouse_port)]
    if options.analysis:
        arguments.append("--analysis")
    supervisor = ChildProcess(
        "supervisor", [sys.executable, "-m", "infra.platform.supervisor", *arguments], files.log, bond="none"
    )
    supervisor.start()
    try:
        return _await(files, supervisor)
    except BaseException:
        supervisor.stop(_STOP_S)
        files.state.unlink(missing_ok=True)
        raise


def _await(files: PlatformFiles, supervisor: ChildProcess) -> PlatformState:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        ended = supervisor.poll() is not None
        state = files.read()
        if state is not None and state.phase == "running" and not ended:
            return state
        if state is not None and state.phase == "failed":
            raise FatalError(f"the platform did not come up: {state.error}")
        if ended:
            break
        time.sleep(_POLL_S)
    raise FatalError(f"the platform did not come up; its log {files.log} ends with:\n{supervisor.log_tail()}")


def _end(current: Report) -> bool:
    if current.state is None:
        return False
    supervisor = current.state.supervisor
    everyone = [supervisor, *(each.process for each in current.state.components)]
    if not any(process.is_alive() for process in everyone):
        return False
    for number, timeout in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, 10.0)):
        # The supervisor stops its servers itself; they are told only when it is gone or does not do so.
        for process in [supervisor] if number == signal.SIGTERM and supervisor.is_alive() else everyone:
            _signal(process, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not any(process.is_alive() for process in everyone):
                return True
            time.sleep(_POLL_S)
    raise FatalError(f"process {supervisor.pid}, which owns the platform, does not end")


def _signal(process: ProcessIdentity, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.is_alive():
            os.kill(process.pid, number)


def _check_retention(files: PlatformFiles, options: PlatformOptions) -> None:
    if files.analysis_mark.exists() and not options.analysis:
        raise ConfigurationError(
            f"{files.data_dir} is an analysis platform's: its retention is lifted. Started as an ordinary one it would "
            "delete everything older than the retention. Start it with --analysis, or choose another --data-dir, or "
            "delete its data (`venuecode platform down --delete-data`)."
        )


def _check_same(state: PlatformState, options: PlatformOptions) -> None:
    for name, runs, wanted in (
        ("--brokers", state.brokers, options.brokers),
        ("--analysis", state.analysis, options.analysis),
    ):
        if runs != wanted:
            raise ConfigurationError(
                f"a platform with {name} {runs} already runs on {options.data_dir}, not {wanted}: stop it first "
                "(`venuecode platform down`)"
            )


@contextlib.contextmanager
def _locked(files: PlatformFiles) -> Iterator[None]:
    try:
        files.data_dir.mkdir(parents=True, exist_ok=True)
        lock = files.lock.open("w")
    except OSError as error:
        raise ConfigurationError(f"the data directory {files.data_dir} cannot be used: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
