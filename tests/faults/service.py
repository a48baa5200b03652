"""A worker or a sink as a child process that can be killed, paused, and asked how it does."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from infra.embedded.process import ChildProcess

ROOT = Path(__file__).parents[2]
VERBS = {kind: ("-m", "infra.cli.main", kind) for kind in ("worker", "sink")}
DYING = {kind: ("-m", f"tests.faults.{kind}_that_dies") for kind in ("worker", "sink")}


class Service:
    """One process at a time under one name, which is its static membership of the group too.

    Args:
        kind: worker or sink.
        name: unique within the group.
        directory: for its log and its ready file.
        variables: the settings of its environment.
        static: whether it is a static member.
    """

    def __init__(
        self, kind: str, name: str, directory: Path, variables: Mapping[str, str], *, static: bool = True
    ) -> None:
        self.kind = kind
        self.name = name
        self._ready_file = directory / f"{name}.json"
        self._log = directory / f"{name}.log"
        self._variables = variables
        self._membership = ["--instance-id", name] if static else []
        self.child: ChildProcess | None = None
        self._lock = threading.Lock()

    def start(self, program: Sequence[str] | None = None, *options: str) -> None:
        """Start it; returns at once.

        Args:
            program: instead of the product's own verb.
            *options: further ones.
        """
        self._ready_file.unlink(missing_ok=True)
        argv = [sys.executable, *(program or VERBS[self.kind]), "--metrics-port", "0", *self._membership]
        self.child = ChildProcess(
            self.name,
            [*argv, "--ready-file", str(self._ready_file), *options],
            self._log,
            env={**os.environ, **self._variables},
            cwd=ROOT,
        )
        self.child.start()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages; 0 while it does not answer."""
        with suppress(FileNotFoundError, ValueError, URLError, OSError):
            port = json.loads(self._ready_file.read_text())["metrics_port"]
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, ""
        return 0, ""

    def is_ready(self) -> bool:
        """Whether `/ready` says so."""
        return self.get("/ready")[0] == 200

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 while there is none."""
        lines = self.get("/metrics")[1].splitlines()
        wanted = f"venuecode_{self.kind}_{name}"
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == wanted)

    @property
    def code(self) -> int | None:
        """Its exit code once it has ended."""
        return None if self.child is None else self.child.poll()

    def kill_and_start(self) -> None:
        """kill -9, and a new process at once."""
        with self._lock:
            self.kill()
            self.start()

    def revive(self) -> int | None:
        """Start it again if it ended by itself, not by a signal; the exit code if it did."""
        with self._lock:
            code = self.code
            if code is None or code < 0:
                return None
            self.start()
            return code

    def kill(self) -> None:
        """kill -9; harmless when it does not run."""
        if self.child is not None:
            self.child.kill()

    def stop(self) -> int | None:
        """A clean stop; by force after 40 s."""
        return None if self.child is None else self.child.stop(40)

    def pause(self) -> None:
        """SIGSTOP."""
        if self.child is not None:
            os.kill(self.child.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        if self.child is not None:
            os.kill(self.child.pid, signal.SIGCONT)

    def log(self) -> str:
        """All that was logged under this name."""
        return self._log.read_text() if self._log.exists() else ""
