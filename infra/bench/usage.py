"""What processes have used, as the kernel says (Linux; zeros elsewhere)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int, thread: int | None = None) -> float:
    """User and system time of a process, or of one of its threads, so far; 0 where there is no /proc."""
    folder = f"/proc/{pid}" if thread is None else f"/proc/{pid}/task/{thread}"
    try:
        fields = Path(f"{folder}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mb(pid: int) -> float:
    """Largest resident size of a process so far, in MiB; 0 where there is no /proc."""
    return _status(pid, "VmHWM") / 1024


def rss_mb(pid: int) -> float:
    """Resident size of a process now, in MiB; 0 where there is no /proc."""
    return _status(pid, "VmRSS") / 1024


def threads(pid: int) -> int:
    """Threads of a process now; 0 where there is no /proc."""
    return int(_status(pid, "Threads"))


def open_files(pid: int) -> int:
    """File handles of a process now, but those on /proc; 0 where there is no /proc, or it is another user's.

    ClickHouse keeps three on /proc for each thread that has ever worked, hours after the thread began: there are three
    times as many as `threads` in the end, and these are counted.
    """
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names only, no path objects
    except OSError:
        return 0
    count = 0
    for name in names:
        with suppress(OSError):  # closed meanwhile
            count += not os.readlink(f"{folder}/{name}").startswith("/proc/")  # noqa: PTH115
    return count


def _status(pid: int, name: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")), 0.0)


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds and peak resident MiB by the name of a part, between two moments."""

    cpu_s: dict[str, float]
    peak_rss_mb: dict[str, float]

    def as_json(self, records: int) -> dict[str, dict[str, float]]:
        """By part: `cpu_s`, `share` of all, `cpu_s_per_million` of so many records, `peak_rss_mb`."""
        total = sum(self.cpu_s.values()) or 1.0
        return {
            part: {
                "cpu_s": round(used, 2),
                "share": round(used / total, 3),
                "cpu_s_per_million": round(used / max(1, records) * 1e6, 2),
                "peak_rss_mb": round(self.peak_rss_mb[part]),
            }
            for part, used in self.cpu_s.items()
        }


class UsageClock:
    """Measures what processes use from its construction on.

    Args:
        pids: by the name of the part.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {part: cpu_seconds(pid) for part, pid in pids.items()}
        self._cpu_s, self._peak_mb = dict(self._before), dict.fromkeys(pids, 0.0)

    def read(self) -> Usage:
        """What they have used since; peaks since each process began.

        To be called now and then: of a process that has ended the last reading counts.
        """
        for part, pid in self._pids.items():
            self._cpu_s[part] = max(self._cpu_s[part], cpu_seconds(pid))
            self._peak_mb[part] = max(self._peak_mb[part], peak_rss_mb(pid))
        return Usage({part: self._cpu_s[part] - self._before[part] for part in self._pids}, dict(self._peak_mb))
