"""kill -9 at every step of the worker's and the sink's cycle, by the named fail points."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from sinks.clickhouse.steps import Step as SinkStep
from streams.steps import Step as WorkerStep
from tests.faults.platform import Platform, platform
from tests.faults.report import Round
from tests.faults.service import DYING, Service

STEPS: Final = {"worker": [step.value for step in WorkerStep], "sink": [step.value for step in SinkStep]}
_SCANS = 1_000
_MORE = 5
_DIE_S = 60.0


def step_round(
    bootstrap_servers: str,
    clickhouse: tuple[str, int],
    directory: Path,
    *,
    seed: int,
    deaths: list[tuple[str, str, int]],
) -> Round:
    """Kinds of services die one after the other, each at its step; what comes after them finishes their work.

    Args:
        bootstrap_servers, clickhouse: the servers; they stay up.
        directory: for logs.
        seed: of the load.
        deaths: kind of service, step, and at which time of it. Those of a worker run beside those of a sink.
    """
    kinds = sorted({kind for kind, _, _ in deaths})
    names = sorted({step for _, step, _ in deaths})
    name = f"{' and '.join(kinds)} killed " + (names[0].replace("_", " ") if len(names) == 1 else "at every step")
    result = Round(name, seed)
    with platform(result, bootstrap_servers, clickhouse, directory) as own:
        services = {kind: own.service(kind, kind) for kind in ("worker", "sink")}
        left = {kind: [(step, times) for of, step, times in deaths if of == kind] for kind in services}
        for kind, service in services.items():
            _next(service, left[kind])
        while any(left.values()):
            own.send(_SCANS)
            own.wait_until(lambda: _any_died_or_more(own, services, left), _DIE_S, f"a death at one of {left}")
        own.send(_SCANS)
        own.settle()
        return own.judge()


def _next(service: Service, left: list[tuple[str, int]]) -> None:
    """Start it, to die at its next step, or as it is when there is none left."""
    if left:
        step, times = left[0]
        service.start(DYING[service.kind], "--step", step, "--times", str(times))
    else:
        service.start()


def _any_died_or_more(own: Platform, services: dict[str, Service], left: dict[str, list[tuple[str, int]]]) -> bool:
    """Whether one died; if not, a few more scans: a quick worker is through with the rest before its second commit."""
    if _any_died(own, services, left):
        return True
    own.send(_MORE)
    return False


def _any_died(own: Platform, services: dict[str, Service], left: dict[str, list[tuple[str, int]]]) -> bool:
    died = False
    for kind, service in services.items():
        if service.code == -signal.SIGKILL:
            step, _ = left[kind].pop(0)
            own.result.count(f"kill -9 of the {kind} {step.replace('_', ' ')}")
            _next(service, left[kind])
            died = True
    return died
