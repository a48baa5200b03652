"""Asks every process again and again, and remembers as much as rates and quantiles need."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from infra.exposition import read_metrics
from infra.top import summary
from infra.top.endpoints import Endpoint
from infra.top.samples import NOTHING, Moment

_RATE_S = 5.0
_WINDOW_S = 60.0


@dataclass(slots=True)
class _Process:
    began: float
    restarts: int = 0
    moments: deque[Moment] = field(default_factory=deque)


class Watch:
    """The processes behind some endpoints.

    Args:
        find: the endpoints that there are now.
        read: metrics of a port; empty when nobody answers.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[], Iterable[Endpoint]],
        read: Callable[[int], dict[str, float]] = read_metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find, self._read, self._clock = find, read, clock
        self._processes: dict[str, _Process] = {}

    def look(self, *, since_start: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Ask everybody once.

        Args:
            since_start: quantiles and means count from each process's start, not over the last minute.

        Returns:
            `workers` and `sinks` that answered: name, port, restarts seen, and the summary of each.
        """
        found: dict[str, list[dict[str, Any]]] = {"workers": [], "sinks": []}
        for endpoint in self._find():
            now = Moment(self._clock(), self._read(endpoint.port))
            kind = summary.kind_of(now)
            if kind is None:
                continue
            process = self._remember(endpoint, now)
            before = next(moment for moment in process.moments if now.at - moment.at <= _RATE_S)
            earlier = NOTHING if since_start or len(process.moments) == 1 else process.moments[0]
            tell = summary.worker if kind == "worker" else summary.sink
            head = {"name": endpoint.name, "port": endpoint.port, "restarts_seen": process.restarts}
            found[f"{kind}s"].append({**head, **tell(before, earlier, now)})
        return found

    def _remember(self, endpoint: Endpoint, now: Moment) -> _Process:
        began = now.total("process_start_time_seconds")
        process = self._processes.setdefault(endpoint.name, _Process(began))
        if process.began != began:
            process.began, process.restarts = began, process.restarts + 1
            process.moments.clear()
        process.moments.append(now)
        while now.at - process.moments[0].at > _WINDOW_S:
            process.moments.popleft()
        return process
