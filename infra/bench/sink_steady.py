"""The sink over minutes at a rate, and over an absence of ClickHouse: freshness, parts, memory, catching up."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from infra.bench.figures import Run
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.sink_place import ORDERS, PARTITIONS, SinkPlace, WatchedSink, active_parts, sink_place, stored
from infra.bench.trend import trend
from infra.bench.usage import cpu_seconds, rss_mb
from infra.bench.visit_feed import VisitFeed
from schemas.errors import FatalError
from sinks.clickhouse.target import ClickHouseTarget

_POLL_S: Final = 0.1
_WARM_S: Final = 10.0
_LATEST_S: Final = 900.0
_CAUGHT_UP_S: Final = 2.0
"""A sink is level when it is no further behind than this at the rate of the feed."""


def run_steady_bench(minutes: float, rate: int, runs: int = 1) -> Document:
    """Rows come at a rate for some minutes.

    Returns:
        The document with `scan_to_row_ms` (from a row's hand-over to the Kafka client until both orders count so many
        rows), `rows_per_s`, `cpu_s_per_million` and `peak_rss_mb` of the sink; runs have `parts_max` of each order,
        `rss_mb` (a trend, a second), `clickhouse_cpu_s_per_million`, `lost` and `twice` too.

    Raises:
        FatalError: the sink ended, or did not get level.
    """
    found = alternate({"steady": lambda _: _steady(minutes * 60, rate)}, runs)
    return document("sink-steady", found, {"minutes": minutes, "rate": rate})


def run_away_bench(away_minutes: float, rate: int, backlog_rows: int, runs: int = 1) -> Document:
    """ClickHouse is killed while rows come at a rate, and comes back.

    What would come in `away_minutes` is put on the topic as fast as it goes, `backlog_rows` of it at most: the absence
    is compressed in time, and beyond so many rows in number too (`compressed_rows` says by how much).

    Returns:
        The document with `rows_per_s` (written while catching up, the rate going on) and `peak_rss_mb`; runs have
        `backlog`, `away_s`, `rss_mb_away` (a trend, a second), `catch_up_s`, `times_the_rate`, `lost`, `twice`.

    Raises:
        FatalError: the sink ended, or did not get level.
    """
    wanted = round(away_minutes * 60 * rate)
    backlog = min(wanted, backlog_rows)
    found = alternate({"away": lambda _: _away(backlog, rate)}, runs)
    parameters = {"away_minutes": away_minutes, "rate": rate, "backlog_rows": backlog}
    return document("sink-away", found, {**parameters, "compressed_rows": round(wanted / backlog, 2)})


@dataclass(slots=True)
class _Watch:
    """Samples of a sink at work."""

    place: SinkPlace
    target: ClickHouseTarget
    sink: WatchedSink
    client: Any
    seen: list[tuple[float, int]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    parts_max: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ORDERS, 0))

    def look(self, *, database: bool = True) -> int:
        """One sample; how many rows both orders have."""
        if self.sink.process.poll() is not None:
            raise FatalError(f"the sink ended:\n{self.sink.process.log_tail()}")
        now = time.monotonic()
        if not self.memory or now - self.memory[-1][0] >= 1:
            self.memory.append((now, rss_mb(self.sink.process.pid)))
        if not database:
            return 0
        count = " ".join(f"(SELECT count() FROM {order})," for order in ORDERS)
        rows = min(self.client.query(f"SELECT {count.rstrip(',')}").result_rows[0])
        self.seen.append((time.monotonic(), rows))
        # Looking costs the engine some CPU too: once a second is enough for what grows by a few parts a second.
        if len(self.seen) == 1 or int(self.seen[-2][0]) != int(self.seen[-1][0]):
            for order, parts in active_parts(self.client, self.target.database).items():
                self.parts_max[order] = max(self.parts_max[order], parts)
        return int(rows)

    def until(self, seconds: float, *, database: bool = True) -> None:
        """Samples for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look(database=database)
            time.sleep(_POLL_S)

    def until_level(self, feed: VisitFeed, behind: float) -> float:
        """Samples until no more than `behind` rows are missing; when that was."""
        deadline = time.monotonic() + _LATEST_S
        told = time.monotonic()
        while time.monotonic() < deadline:
            rows = self.look()
            if feed.sent - rows <= behind:
                return time.monotonic()
            if time.monotonic() - told > 5:
                told = time.monotonic()
                tell(f"  {rows:,} of {feed.sent:,} rows stored")
            time.sleep(_POLL_S)
        raise FatalError(
            f"the sink is not level after {_LATEST_S:g} s; the end of its log:\n{self.sink.process.log_tail()}"
        )

    def trend_of_memory(self, since: float, until: float) -> dict[str, float]:
        """The line through the sink's resident MiB between two moments, a second."""
        chosen = [(at, size) for at, size in self.memory if since <= at <= until]
        return trend([at for at, _ in chosen], [size for _, size in chosen]).as_json()

    def outcome(self, sent: int) -> dict[str, int]:
        """What the views miss, and what they show more than once."""
        shown = stored(self.client)
        different = min(count for _, count in shown.values())
        return {"lost": sent - different, "twice": max(rows - count for rows, count in shown.values())}


@contextmanager
def _at_work(rate: int) -> Iterator[tuple[_Watch, VisitFeed]]:
    """A sink on a new platform, with rows coming at a rate."""
    with sink_place() as place:
        target = place.database("bench")
        sink, client = place.sink(target), target.client()
        sink.start()
        try:
            sink.wait_for("venuecode_sink_partitions", 1)
            feed = VisitFeed(place.cluster, place.topics.visits, PARTITIONS, rate)
            feed.start()
            yield _Watch(place, target, sink, client), feed
        finally:
            sink.process.stop(timeout=30)
            client.close()


def _steady(seconds: float, rate: int) -> Run:
    with _at_work(rate) as (watch, feed):
        pid, server = watch.sink.process.pid, watch.place.clickhouse.pid
        watch.until(_WARM_S)
        began, rows_began = time.monotonic(), feed.sent
        used = cpu_seconds(pid), cpu_seconds(server)
        tell(f"  {rate:,} rows/s for {seconds:,.0f} s")
        watch.until(seconds)
        ended, rows = time.monotonic(), feed.sent - rows_began
        used = cpu_seconds(pid) - used[0], cpu_seconds(server) - used[1]
        sent = feed.stop()
        watch.until_level(feed, 0)
        outcome = watch.outcome(sent)
    return {
        "rows_per_s": round(rows / (ended - began)),
        "cpu_s_per_million": round(used[0] / rows * 1e6, 2),
        "scan_to_row_ms": _freshness(feed.ticks, watch.seen, began, ended),
        "peak_rss_mb": round(max(size for _, size in watch.memory)),
        "clickhouse_cpu_s_per_million": round(used[1] / rows * 1e6, 2),
        "rss_mb": watch.trend_of_memory(began, ended),
        "parts_max": watch.parts_max,
        "rows": sent,
        **outcome,
    }


def _away(backlog: int, rate: int) -> Run:
    with _at_work(rate) as (watch, feed):
        place = watch.place
        watch.until(_WARM_S)
        rows_before = watch.look()
        place.clickhouse.kill()
        left = time.monotonic()
        tell(f"  ClickHouse is killed; {backlog:,} rows come")
        feed.hurry(backlog)
        while feed.hurries:
            watch.until(1, database=False)
        # Long enough for a slope of what the memory does once the sink has stopped taking.
        watch.until(max(_WARM_S, 30 - (time.monotonic() - left)), database=False)
        place.clickhouse.start()
        back = time.monotonic()
        waiting = feed.sent - rows_before
        tell(f"  ClickHouse is back after {back - left:.0f} s; {waiting:,} rows wait")
        level = watch.until_level(feed, rate * _CAUGHT_UP_S)
        written = watch.seen[-1][1] - rows_before
        sent = feed.stop()
        watch.until_level(feed, 0)
        outcome = watch.outcome(sent)
    return {
        "rows_per_s": round(written / (level - back)),
        "peak_rss_mb": round(max(size for _, size in watch.memory)),
        "backlog": waiting,
        "away_s": round(back - left, 1),
        "rss_mb_away": watch.trend_of_memory(left + 10, back),
        "catch_up_s": round(level - back, 1),
        "times_the_rate": round(written / (level - back) / rate, 2),
        "parts_max": watch.parts_max,
        "rows": sent,
        **outcome,
    }


def _freshness(
    ticks: list[tuple[float, int]], seen: list[tuple[float, int]], since: float, until: float
) -> dict[str, float] | None:
    """From the moment the n-th row was handed over until n rows were counted; quantiles over the rows."""
    counts = [rows for _, rows in seen]
    took, weights = [], []
    for (_, before), (at, sent) in pairwise(ticks):
        first = bisect.bisect_left(counts, sent)
        if since <= at < until and sent > before and first < len(seen):
            took.append((seen[first][0] - at) * 1000)
            weights.append(sent - before)
    if not took:
        return None
    order = np.argsort(took)
    shares = np.cumsum(np.array(weights)[order]) / sum(weights)
    return {
        name: round(float(np.array(took)[order][int(np.searchsorted(shares, q))]), 1)
        for name, q in (("p50", 0.5), ("p99", 0.99))
    }
