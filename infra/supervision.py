"""Starts again what ends by itself: after a pause that grows, and not for ever."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

_TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is to run.

    Attributes:
        name: such as `worker`.
        why_ended: why it does not run any more, in words; None while it runs.
        start: starts it again, and may take a while; raises what kept it from starting.
    """

    name: str
    why_ended: Callable[[], str | None]
    start: Callable[[], object]


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often and how soon.

    Attributes:
        first_s: pause before the first restart, doubled with every further one in the window.
        longest_s: the longest pause.
        most: restarts of one service within `window_s` seconds; one more, and it is given up.
        window_s: see `most`.
    """

    first_s: float = 0.25
    longest_s: float = 10.0
    most: int = 6
    window_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Restarted:
    """How often a service was started again, and why the last time."""

    count: int
    reason: str


@dataclass(slots=True)
class _Watched:
    service: Service
    ended_at: deque[float] = field(default_factory=deque)
    count: int = 0
    reason: str = ""
    due: float | None = None
    starting: Future[object] | None = None
    given_up: bool = False


class Supervisor:
    """Watches services, by `tick` several times a second, or in a thread of its own from `watch` on.

    Nothing but `close` blocks.

    Args:
        services: that run already.
        policy: how often and how soon.
        clock: seconds, monotonic.
        jitter: 0 to 1, spreads the pauses: what failed together does not come back together.
    """

    def __init__(
        self,
        services: Iterable[Service] = (),
        policy: RestartPolicy = RestartPolicy(),
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._policy, self._clock, self._jitter = policy, clock, jitter
        self._watched = {service.name: _Watched(service) for service in services}
        self._starts = ThreadPoolExecutor(4, thread_name_prefix="restart")
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, service: Service) -> None:
        """Watch one more, or another one of the same name."""
        self._watched[service.name] = _Watched(service)

    @property
    def names(self) -> set[str]:
        """What is watched."""
        return set(self._watched)

    @property
    def restarts(self) -> Mapping[str, Restarted]:
        """By name, those that were started again."""
        return {name: Restarted(each.count, each.reason) for name, each in list(self._watched.items()) if each.count}

    @property
    def failures(self) -> list[str]:
        """What was given up, and why; empty when all is well."""
        return [
            f"{name} was given up after {len(each.ended_at)} failures within {self._policy.window_s:.0f} s; "
            f"the last: {each.reason}"
            for name, each in list(self._watched.items())
            if each.given_up
        ]

    @property
    def down(self) -> list[str]:
        """What does not run at the moment."""
        return [
            name for name, each in list(self._watched.items()) if each.due is not None or each.starting or each.given_up
        ]

    def tick(self) -> bool:
        """Look after all of them; true when something ended, came back or was given up."""
        changed = [self._look_after(each) for each in list(self._watched.values())]
        return any(changed)

    def watch(self) -> None:
        """Tick in a thread of its own, until `close`."""
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._closed.wait(_TICK_S):
            self.tick()

    def close(self) -> None:
        """Start nothing any more, and wait for what is being started. Harmless when called twice."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._starts.shutdown(wait=True, cancel_futures=True)

    def _look_after(self, each: _Watched) -> bool:
        if each.given_up:
            return False
        if each.starting is not None:
            return self._started(each)
        if each.due is not None:
            if self._clock() >= each.due:
                each.due, each.count = None, each.count + 1
                each.starting = self._starts.submit(each.service.start)
            return False
        why = each.service.why_ended()
        if why is None:
            return False
        self._ended(each, why)
        return True

    def _started(self, each: _Watched) -> bool:
        future = each.starting
        if future is None or not future.done():
            return False
        each.starting = None
        error = future.exception()
        if error is not None:
            self._ended(each, str(error))
        return True

    def _ended(self, each: _Watched, why: str) -> None:
        now = self._clock()
        each.reason = why.splitlines()[0] if why else "for no known reason"
        each.ended_at.append(now)
        while each.ended_at[0] < now - self._policy.window_s:
            each.ended_at.popleft()
        before = len(each.ended_at) - 1
        if before >= self._policy.most:
            each.given_up = True
            return
        pause = min(self._policy.longest_s, self._policy.first_s * 2**before)
        each.due = now + pause * (0.5 + self._jitter())
