"""Child processes that die with the process that started them, also when that one is killed with -9.

On Linux the kernel sees to it; elsewhere a guard process does (see `infra.embedded.launcher`). Every child runs in a
session of its own, so that a Ctrl-C at the terminal reaches only the process that owns the children, which stops them
in order.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Literal, Self

from infra.embedded import launcher
from infra.embedded.identity import ProcessIdentity, identify
from schemas.errors import FatalError

Bond = Literal["linux", "pipe", "none"]
"""How a child is tied to this process: by the kernel, by a pipe, or not at all (it outlives this process)."""

STORES_LATER = 10
"""Niceness of what stores visits where it shares a machine with what raises alerts: these must not wait, rows may."""
DEFAULT_BOND: Bond = "linux" if sys.platform == "linux" else "pipe"
_TAIL_BYTES = 64 * 1024


class ChildProcess:
    """One child process with its log.

    Args:
        name: for messages, such as `kafka-1`.
        argv: program and arguments, without a shell.
        log_path: file that its standard output and error are appended to; its directory is made.
        env: its whole environment; None: this process's.
        cwd: its working directory; None: this process's.
        bond: how it is tied to this process; `none` for a process that shall outlive it.
        pass_fds: file descriptors that it inherits, such as a lock it shall hold for as long as it lives.
        niceness: how far it stands back behind others when the processors do not suffice for all, 0 to 19.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log_path: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        *,
        bond: Bond = DEFAULT_BOND,
        pass_fds: Sequence[int] = (),
        niceness: int = 0,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self.identity: ProcessIdentity | None = None
        self._argv = list(argv)
        self._env = env
        self._cwd = cwd
        self._bond: Bond = bond
        self._pass_fds = tuple(pass_fds)
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._held_pipe: int | None = None

    def start(self) -> Self:
        """Start it. May be called from any thread, also a short-lived one, and again after the child has ended.

        Raises:
            FatalError: it is running already, or the system refuses a process.
        """
        if self._process is not None and self.poll() is None:
            raise FatalError(f"{self.name} is already running as process {self.pid}")
        self._release_pipe()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._process = _spawner().call(self._spawn)
        except OSError as error:
            raise FatalError(f"cannot start {self.name} ({self._argv[0]}): {error}") from error
        self.identity = identify(self._process.pid)
        return self

    @property
    def pid(self) -> int:
        """Its process id.

        Raises:
            FatalError: it was never started.
        """
        if self._process is None:
            raise FatalError(f"{self.name} was not started")
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that ended it), or None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout: float) -> int | None:
        """Its exit code once it has ended, or None if that takes more than `timeout` seconds."""
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return self._process.returncode

    def terminate(self) -> None:
        """Ask it to end (SIGTERM) and do not wait; harmless when it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self, timeout: float = 10.0) -> int | None:
        """Ask it to end (SIGTERM), wait, then kill its whole process group; harmless when it has ended.

        Args:
            timeout: seconds between asking and killing.

        Returns:
            Its exit code, or None if it was never started.
        """
        if self._process is None or self._process.poll() is not None:
            return self.poll()
        self.terminate()
        self.wait(timeout)
        return self._end()

    def kill(self) -> int | None:
        """Kill it and its process group (SIGKILL) and reap it; harmless when it has ended.

        Returns:
            Its exit code, or None if it was never started.
        """
        if self._process is None or self._process.poll() is not None:
            return self.poll()
        return self._end()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its log; empty when there is none."""
        return tail(self.log_path, lines)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> subprocess.Popen[bytes]:
        argv, fds = self._argv, self._pass_fds
        read_end: int | None = None
        script = [sys.executable, "-I", "-S", launcher.__file__]
        if self._bond == "linux":
            argv = [*script, "linux", str(os.getpid()), "--", *argv]
        elif self._bond == "pipe":
            read_end, self._held_pipe = os.pipe()
            argv, fds = [*script, "pipe", str(read_end), "--", *argv], (*fds, read_end)
        try:
            with self.log_path.open("ab") as log:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                    pass_fds=fds,
                )
            if self._niceness:
                _stand_back(process.pid, self._niceness)
            return process
        finally:
            if read_end is not None:
                os.close(read_end)

    def _end(self) -> int:
        assert self._process is not None  # noqa: S101 - both callers have looked
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._release_pipe()
        return code

    def _release_pipe(self) -> None:
        if self._held_pipe is not None:
            os.close(self._held_pipe)
            self._held_pipe = None


def ending(code: int) -> str:
    """How a process ended, in words, from its exit code (negative: the signal that ended it)."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def tail(path: Path, lines: int) -> str:
    """The last lines of a text file (of its last 64 KiB); empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _stand_back(pid: int, niceness: int) -> None:
    """Make a process that was just started nice, and with it every thread that it starts from here on."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        # Where Linux shares the processors out by session first (autogroup), that counts within a session only.
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


class _Spawner:
    """A thread that lives as long as this process and starts all its children.

    The kernel's bond is with the *thread* that starts a child: a child started from a short-lived thread would be
    killed when that thread ends.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    def call(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Run `start` on the thread and hand back what it returns or raises."""
        results: SimpleQueue[subprocess.Popen[bytes] | BaseException] = SimpleQueue()

        def work() -> None:
            try:
                results.put(start())
            except BaseException as error:
                results.put(error)

        self._work.put(work)
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def _run(self) -> None:
        while True:
            self._work.get()()


_spawner_lock = threading.Lock()
_the_spawner: _Spawner | None = None


def _spawner() -> _Spawner:
    global _the_spawner  # noqa: PLW0603 - one thread a process
    with _spawner_lock:
        if _the_spawner is None or _the_spawner.pid != os.getpid():
            _the_spawner = _Spawner()
        return _the_spawner
