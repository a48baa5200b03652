"""Notices a sink that is stuck but alive: a thread of its own looks whether the loop turns and commits follow work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

_SAID_AFTER: Final = 1 / 3
"""Share of the patience after which `/ready` says so."""


class Watchdog:
    """Looks from `start` until `close`.

    Args:
        patience_s: how long there may be work without a commit, or the loop may stand still.
        on_stall: called in the watchdog's thread with what stands still; must end the process.
        clock: seconds, monotonic.
    """

    def __init__(
        self, patience_s: float, on_stall: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s, self._on_stall, self._clock = patience_s, on_stall, clock
        self._turned_at = self._committed_at = clock()
        self._started = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look; what was before does not count."""
        self._turned_at = self._committed_at = self._clock()
        self._started = True
        self._thread.start()

    def turned(self, *, has_work: bool) -> None:
        """The loop has turned once more.

        Args:
            has_work: something waits to be committed and could be: ClickHouse answers.
        """
        self._turned_at = self._clock()
        if not has_work:
            self._committed_at = self._turned_at

    def committed(self) -> None:
        """The brokers have taken a commit."""
        self._committed_at = self._clock()

    def standing_still(self, share: float = _SAID_AFTER) -> str | None:
        """What has stood still for that share of the patience, in words; None when nothing has."""
        if not self._started:
            return None
        now = self._clock()
        for since, what in ((self._turned_at, "the loop stands still"), (self._committed_at, "work, and no commit")):
            if now - since >= share * self._patience_s:
                return f"{what} for {now - since:.0f} s"
        return None

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._started:
            self._thread.join()

    def _look(self) -> None:
        while not self._closed.wait(self._patience_s / 8):
            what = self.standing_still(1.0)
            if what is not None:
                self._on_stall(what)
                return
