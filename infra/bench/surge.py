"""A Monday morning: a surge over a base load, with ClickHouse there and with it away. Do alerts wait, does lag stay?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from infra.bench.chain import Chain, disk_gib
from infra.bench.figures import Run
from infra.bench.generator import Phase
from infra.bench.place import bench_place
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.sums import check_sums

BEFORE_S: Final = 30.0
AFTER_S: Final = 45.0
LOOK_AFTER_S: Final = 30.0


def run_surge_bench(
    base: float = 10_000, factor: float = 10, minutes: float = 2.0, people: int = 1_000_000, runs: int = 3
) -> Document:
    """Measure a surge.

    Args:
        base: scans a second before and after.
        factor: how many times as many during the surge.
        minutes: how long the surge lasts.
        people: with a status each.
        runs: rounds of two variants: with ClickHouse, and with ClickHouse stopped for as long as the surge lasts.

    Returns:
        The document (`infra.bench.report.document`) with `events_per_s` (stored a second over the whole run),
        `scan_to_alert_ms` of scans of the surge, and `lag_s`: what was sent and not stored 30 s after the surge's end,
        in seconds of the base rate. Runs have `alerts_before_ms` and `alerts_after_ms`, `most_behind` (records),
        `settled_s` and `parts` (of a ClickHouse that was stopped: until then) too.

    Raises:
        ConfigurationError: not enough disk.
        FatalError: a part ended, or sent and stored differ.
    """
    phases = [Phase(BEFORE_S, base), Phase(minutes * 60, base * factor), Phase(AFTER_S, base)]
    variants = {
        "with ClickHouse": partial(_run, phases, people, False),
        "ClickHouse stopped": partial(_run, phases, people, True),
    }
    parameters = {"base": base, "factor": factor, "minutes": minutes, "people": people}
    return document("surge", alternate(variants, runs), parameters)


def _run(phases: list[Phase], people: int, without_clickhouse: bool, _number: int) -> Run:
    with bench_place(people, free_gib=disk_gib(phases)) as place:
        chain = Chain(place)
        surge_s = phases[1].seconds
        switch = _Switch(place.platform.clickhouse, surge_s) if without_clickhouse else lambda _second: None
        tell(f"  {phases[0].rate:,.0f} scans/s, then {phases[1].rate:,.0f} for {surge_s:,.0f} s")
        chain.run(phases, switch)
        settled = chain.settle()
        usage = chain.used()
        chain.finish()
        check_sums(chain.target, chain.sent)
        return {**_figures(chain, phases), "settled_s": round(settled, 2), "parts": usage.as_json(chain.sent)}


def _figures(chain: Chain, phases: list[Phase]) -> Run:
    begin_ms = chain.began_ms + phases[0].seconds * 1000
    end_ms = begin_ms + phases[1].seconds * 1000
    look_s = phases[0].seconds + phases[1].seconds + LOOK_AFTER_S
    times, behind = chain.timeline.seconds, chain.timeline.behind
    at = min(range(len(times)), key=lambda number: abs(times[number] - look_s))
    quantiles: Callable[..., Any] = chain.alerts.quantiles
    return {
        "events_per_s": round(chain.timeline.rate(0)),
        "scan_to_alert_ms": quantiles(begin_ms, end_ms),
        "lag_s": round(behind[at] / phases[0].rate, 2),
        "alerts_before_ms": quantiles(chain.began_ms + 10_000, begin_ms),
        "alerts_after_ms": quantiles(end_ms),
        "most_behind": max(behind),
        "sent": chain.sent,
        "stored": chain.stored(),
    }


class _Switch:
    """Stops ClickHouse when the surge begins and starts it again when it ends; called every second.

    Args:
        clickhouse: the server.
        surge_s: how long the surge lasts.
    """

    def __init__(self, clickhouse: Any, surge_s: float) -> None:
        self._clickhouse, self._surge_s = clickhouse, surge_s
        self._stopped = self._started = False

    def __call__(self, second: float) -> None:
        if second >= BEFORE_S and not self._stopped:
            self._stopped = True
            tell("  ClickHouse stops")
            self._clickhouse.kill()
        if second >= BEFORE_S + self._surge_s and not self._started:
            self._started = True
            tell("  ClickHouse starts again")
            self._clickhouse.start()
