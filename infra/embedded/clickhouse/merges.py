"""Merges give way: their threads get what questions and inserts leave of the processors.

A server has the setting `os_threads_nice_value_merge_mutate` for it, which does nothing without CAP_SYS_NICE. A process
may always make its own threads nicer.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

THREADS: Final = "MergeMutate"
"""What the engine calls them."""
NICENESS: Final = 10
"""How much nicer than the rest of the process: a ninth of the processor beside one thread that wants all of it."""
_NICEST: Final = 19


def stand_back() -> None:
    """Make the engine's merge threads nicer; they run from the first table of the MergeTree family on.

    Once a process: each call makes them nicer still. Does nothing where threads are not to be found in /proc.
    """
    with contextlib.suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            if (thread / "comm").read_text().strip() == THREADS:
                number = int(thread.name)
                now = os.getpriority(os.PRIO_PROCESS, number)
                os.setpriority(os.PRIO_PROCESS, number, min(now + NICENESS, _NICEST))
