"""Statements in flight, by query id, and their cancellation."""

from __future__ import annotations

import threading
from collections.abc import Callable

from infra.embedded.clickhouse.errors import (
    QUERY_WAS_CANCELLED,
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
    ServerError,
)

_FIRST_WAIT = 0.01
_LONGEST_WAIT = 0.25


class Running:
    """A statement in flight; `done` is set when the engine has left it."""

    def __init__(self, query_id: str) -> None:
        self.query_id = query_id
        self.cancelled = threading.Event()
        self.done = threading.Event()
        self.on_killed: Callable[[], None] | None = None

    def raise_if_cancelled(self) -> None:
        """Before the engine knows of the statement, a cancellation is ours to raise.

        Raises:
            ServerError: it was cancelled (QUERY_WAS_CANCELLED).
        """
        if self.cancelled.is_set():
            raise ServerError(QUERY_WAS_CANCELLED, "Query was cancelled.", "QUERY_WAS_CANCELLED")


class RunningQueries:
    """What runs, and a thread that ends what is to end.

    Args:
        kill: asks the engine to end the statement of a query id; says whether it knew of one. Called from one thread.
    """

    def __init__(self, kill: Callable[[str], bool]) -> None:
        self._kill = kill
        self._known: dict[str, Running] = {}
        self._doomed: list[Running] = []
        self._changed = threading.Condition()
        self._closed = False
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        self._reaper.start()

    def add(self, query_id: str) -> Running:
        """Take up a statement.

        Raises:
            ServerError: one with this id is in flight.
        """
        with self._changed:
            if query_id in self._known:
                raise ServerError(
                    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                    f"Query with id = {query_id} is already running.",
                    "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                )
            self._known[query_id] = running = Running(query_id)
            return running

    def remove(self, running: Running) -> None:
        """The engine has left it, or will never see it."""
        running.done.set()
        with self._changed:
            self._known.pop(running.query_id, None)
            self._changed.notify_all()

    def cancel(self, running: Running, on_killed: Callable[[], None] | None = None) -> None:
        """Have a statement end soon with QUERY_WAS_CANCELLED; returns at once, harmless when it has ended.

        Args:
            running: the statement.
            on_killed: called, from another thread, when the engine has marked it as cancelled.
        """
        with self._changed:
            running.on_killed = on_killed or running.on_killed
            if not running.cancelled.is_set() and not running.done.is_set():
                running.cancelled.set()
                self._doomed.append(running)
            self._changed.notify_all()

    def cancel_all(self) -> list[Running]:
        """Cancel everything; what was in flight."""
        with self._changed:
            known = list(self._known.values())
        for running in known:
            self.cancel(running)
        return known

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._reaper.join()

    def _reap(self) -> None:
        wait: float | None = None
        while True:
            with self._changed:
                if not self._closed:
                    self._changed.wait(wait)
                if self._closed:
                    return
                self._doomed = [running for running in self._doomed if not running.done.is_set()]
                doomed = list(self._doomed)
            # Again and again until each has ended: the engine may not have begun it when it is first asked.
            for running in doomed:
                if self._kill(running.query_id) and running.on_killed is not None:
                    running.on_killed()
            wait = min((wait or _FIRST_WAIT) * 2, _LONGEST_WAIT) if doomed else None
