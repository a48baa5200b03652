"""Hours at a steady load: does any process grow in memory, file handles or threads, does the lag?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.bench.chain import Chain, disk_gib
from infra.bench.expiry import keep_minutes
from infra.bench.generator import Phase
from infra.bench.place import bench_place
from infra.bench.rounds import tell
from infra.bench.sums import check_sums
from infra.bench.surroundings import machine, versions
from infra.bench.trend import Trend, trend
from infra.bench.usage import open_files, rss_mb, threads

SAMPLE_S: Final = 10.0
_TELL_EVERY: Final = 30
_WARM_UP_SHARE: Final = 0.2
_LONGEST_WARM_UP_S: Final = 1200.0
_HOUR: Final = 3600.0
_TOLERATED: Final[Mapping[str, float]] = {"rss_mb": 0.02, "open_files": 0.02, "threads": 0.02}
"""Growth an hour, as a share of the mean, that is not called a leak."""
_ALERTS_REMEMBERED: Final = 10_000
"""The default takes two hours at 5,000 scans/s to fill: until then it grows, and is no leak."""
_EXPIRY_S: Final = 1200.0
"""How much longer than that something may lie on the disk."""
_LAG_TOLERATED: Final = 0.01
"""Growth of the lag an hour, in seconds of the rate."""


@dataclass(slots=True)
class Series:
    """Samples of one figure of one process: seconds since the start, and values."""

    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, second: float, value: float) -> None:
        self.seconds.append(second)
        self.values.append(value)

    def after(self, second: float) -> Trend | None:
        """The line through the samples after a moment; null with fewer than three."""
        chosen = [number for number, at in enumerate(self.seconds) if at >= second]
        if len(chosen) < 3:
            return None
        return trend([self.seconds[n] for n in chosen], [self.values[n] for n in chosen])


def verdict(figure: str, line: Trend) -> dict[str, Any]:
    """Growth an hour with its 95 % interval, the mean, and whether it `grows`: surely by more than is tolerated."""
    tolerated = _TOLERATED[figure] * line.mean / _HOUR
    return {
        "an_hour": round(line.slope * _HOUR, 2),
        "an_hour_95": [round(line.low * _HOUR, 2), round(line.high * _HOUR, 2)],
        "mean": round(line.mean, 1),
        "grows": line.grows(tolerated),
    }


def run_soak(
    hours: float = 2.0, rate: float = 5000, people: int = 1_000_000, kept_minutes: float = 10.0
) -> dict[str, Any]:
    """Run the whole chain at a steady rate, sample every process every ten seconds, and judge the slopes.

    The first fifth (20 minutes at most) is left out: caches fill, Java compiles. The worker remembers fewer alerts than
    usual, and scans and visits are kept for minutes, so that both memories are full by then: indexes of what is stored
    take memory too, which would grow for as many days as a city keeps.

    Args:
        hours: how long.
        rate: scans a second.
        people: with a status each.
        kept_minutes: until scans, visits and alerts expire; 0: as late as the platform's.

    Returns:
        `steady` (nothing grows), `sent`, `stored`, `lag_s` (median), `lag_grows`, `scan_to_alert_ms`, `scan_to_row_ms`,
        `processes` (by name `rss_mb`, `open_files`, `threads`, each as `verdict`), `samples`, `machine`, `versions`.

    Raises:
        ConfigurationError: not enough disk.
        FatalError: a part ended, or sent and stored differ.
    """
    phases = [Phase(hours * _HOUR, rate)]
    stored = [Phase(min(hours * _HOUR, kept_minutes * 60 + _EXPIRY_S), rate)] if kept_minutes else phases
    with bench_place(people, free_gib=disk_gib(stored), alerts_remembered=_ALERTS_REMEMBERED) as place:
        if kept_minutes:
            keep_minutes(place.stack.settings, kept_minutes)
        chain = Chain(place)
        tell(f"{rate:,.0f} scans/s for {hours:g} h")
        sampler = _Sampler(chain)
        chain.run(phases, sampler)
        settled = chain.settle()
        chain.finish()
        # Half of what is kept: nothing of that expires while it is counted.
        check_sums(chain.target, chain.sent, kept_minutes * 30 or None)
    found = {**_result(chain, sampler, hours, rate), "settled_s": round(settled, 2)}
    return {**found, "people": people, "kept_minutes": kept_minutes}


class _Sampler:
    """Called every second; samples every ten."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._next = 0.0
        self._count = 0
        self.series: dict[str, dict[str, Series]] = {}
        self.lag = Series()

    def __call__(self, second: float) -> None:
        if second < self._next:
            return
        self._next += SAMPLE_S
        for name, pid in self._chain.pids().items():
            if name in ("measuring", "generator"):
                continue
            figures = self.series.setdefault(name, {figure: Series() for figure in _TOLERATED})
            figures["rss_mb"].add(second, rss_mb(pid))
            figures["open_files"].add(second, open_files(pid))
            figures["threads"].add(second, threads(pid))
        self.lag.add(second, self._chain.timeline.behind[-1])
        if self._count % _TELL_EVERY == 0:
            sizes = ", ".join(f"{name} {figures['rss_mb'].values[-1]:,.0f} MB" for name, figures in self.series.items())
            tell(f"  {second / 60:5.1f} min: {self._chain.sent:,} sent, {self.lag.values[-1]:,.0f} behind; {sizes}")
        self._count += 1


def _result(chain: Chain, sampler: _Sampler, hours: float, rate: float) -> dict[str, Any]:
    warm_up = min(hours * _HOUR * _WARM_UP_SHARE, _LONGEST_WARM_UP_S)
    processes = {
        name: {figure: verdict(figure, line) for figure, each in figures.items() if (line := each.after(warm_up))}
        for name, figures in sampler.series.items()
    }
    lag, behind = sampler.lag.after(warm_up), sorted(sampler.lag.values)
    lag_grows = lag is not None and lag.grows(_LAG_TOLERATED * rate / _HOUR)
    since_ms = chain.began_ms + warm_up * 1000
    return {
        "steady": not lag_grows and not any(each["grows"] for found in processes.values() for each in found.values()),
        "hours": hours,
        "rate": rate,
        "sent": chain.sent,
        "stored": chain.stored(),
        "lag_s": round(behind[len(behind) // 2] / rate, 2),
        "lag_grows": lag_grows,
        "scan_to_alert_ms": chain.alerts.quantiles(since_ms),
        "scan_to_row_ms": chain.rows.rows.quantiles(since_ms),
        "processes": processes,
        "samples": len(sampler.lag.values),
        "machine": machine(),
        "versions": versions(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
    }
