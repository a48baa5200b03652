"""A process and everything it started: what all of them have used (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from infra.bench.usage import peak_rss_mb
from schemas.errors import FatalError

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _CPU, _STARTED = 1, slice(11, 15), 19


@dataclass(slots=True)
class ProcessTree:
    """Watches a process and its descendants; `look` often enough to see each of them once.

    Args:
        root: id of the process.
    """

    root: int
    _peaks: dict[tuple[int, str], float] = field(default_factory=dict)

    def look(self) -> float:
        """CPU seconds that the tree has used so far: user and system, of children that have ended as well.

        Raises:
            FatalError: there is no /proc, without which nothing can be measured.
        """
        fields = _all_processes()
        seconds = 0.0
        for pid in _descendants(self.root, fields):
            seconds += sum(int(value) for value in fields[pid][_CPU]) / _TICKS
            key = pid, fields[pid][_STARTED]
            self._peaks[key] = max(self._peaks.get(key, 0.0), peak_rss_mb(pid))
        return seconds

    @property
    def peak_rss_mb(self) -> float:
        """The largest resident sizes of all its processes, added up, in MiB."""
        return sum(self._peaks.values())

    def kill_the_rest(self) -> None:
        """Kill what of it still runs: children that made themselves independent of the root."""
        fields = _all_processes()
        for pid, started in self._peaks:
            if pid in fields and fields[pid][_STARTED] == started:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)


def _all_processes() -> dict[int, list[str]]:
    """The fields after the name in `/proc/<pid>/stat`, by process id."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
    if not found:
        raise FatalError("the peers can be measured on Linux only: there is no /proc here")
    return found


def _descendants(root: int, fields: dict[int, list[str]]) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, values in fields.items():
        children.setdefault(int(values[_PARENT]), []).append(pid)
    found, waiting = [], [root] if root in fields else []
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, ()))
    return found
