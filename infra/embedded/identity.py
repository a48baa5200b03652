"""Which process a process id meant: ids are reused, so an id is kept together with the time its process began."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_LINUX = sys.platform == "linux"
_ENDED = ("Z", "X")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever: `pid` and an opaque mark of when it began, never equal for two processes of one id."""

    pid: int
    began: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; a process that ended and was not yet reaped does not."""
        return began(self.pid) == self.began


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of a running process, or None when there is none of that id."""
    mark = began(pid)
    return None if mark is None else ProcessIdentity(pid, mark)


def began(pid: int) -> str | None:
    """When a process began, in the system's own unit, or None when there is no such process or it has ended."""
    if _LINUX:
        return _began_linux(pid)
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, mark = answer.stdout.strip().partition(" ")
    return None if not mark or state.startswith(_ENDED) else " ".join(mark.split())


def _began_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold spaces and brackets; the fields after it are fixed (proc_pid_stat(5)).
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in _ENDED else f"{boot}:{fields[19]}"
