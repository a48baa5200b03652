"""The whole chain on one machine: generator, broker, worker, broker, sink, both ClickHouse orders.

How things are measured: `scan_to_alert_ms` from a scan's `scanned_at`, the moment it is handed to the generator's
producer, until a subscriber in this process has its red or yellow alert. `scan_to_row_ms` from the `scanned_at` of
probes (one person in each partition, scanned in turn) until ClickHouse answers a question about them with that visit;
the questions are asked `ROW_PAUSE_S` apart (more where rows take long: `RowMeter`), so the figure is up to that much
too large. Lag is what was sent and is not yet acknowledged by ClickHouse. Rates, lag and latencies leave out the first
`WARM_UP_S`. Sums are exact: at the end every offset of the scans is in both orders, once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from infra.bench.figures import Run
from infra.bench.generator import Phase
from infra.bench.meters import AlertMeter, RowMeter
from infra.bench.place import Place, bench_place
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.sums import check_sums
from infra.bench.timeline import Timeline
from infra.bench.usage import Usage, UsageClock
from infra.demo.children import EventTail, ready_port
from infra.exposition import read_metrics
from infra.targets import clickhouse_target
from infra.top.samples import NOTHING, Moment, mean

ROW_PAUSE_S: Final = 0.25
WARM_UP_S: Final = 10.0
_PROBE_S: Final = 0.02
_SAMPLE_S: Final = 1.0
_SETTLE_S: Final = 300.0
_GROWTH: Final = 0.005
_BYTES_A_SCAN: Final = 500
"""Topics and tables together took 340 after 21 million scans, and a merge needs room for what it writes."""


class Chain:
    """A running chain that is watched.

    Args:
        place: servers and processes; worker and sink are started here.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        stack = place.stack
        self.target = clickhouse_target(stack.settings)
        place.start_services("sink", "worker")
        self.alerts = AlertMeter(stack.settings.kafka.librdkafka(), stack.topics.all_alerts)
        tokens = [place.people.token(person) for person in place.people.probes(place.partitions)]
        self.rows = RowMeter(self.target, tokens, ROW_PAUSE_S)
        self.timeline = Timeline()
        self.sent = self.probes = self._stored = 0
        self.uncommitted: dict[str, int] = {}
        self.batch_rows: dict[str, float | None] = {}
        self.began_ms = 0.0
        self._port = ready_port(stack.directory / "sink.ready")
        self._events = EventTail(stack.directory / "generator.log")
        self.done = False
        self._usage = UsageClock({})

    def pids(self) -> dict[str, int]:
        """By part; `measuring` is this process."""
        children, platform = self.place.stack.children, self.place.platform
        return {
            "generator": children["generator"].pid,
            "broker": platform.kafka.pids[0],
            "worker": children["worker"].pid,
            "sink": children["sink"].pid,
            "clickhouse": platform.clickhouse.pid,
            "measuring": os.getpid(),
        }

    def run(self, phases: Sequence[Phase], at_second: Callable[[float], None] = lambda _: None) -> None:
        """Send by the plan, and watch until all of it is acknowledged by Kafka.

        Args:
            phases: of the generator.
            at_second: called about every second with the seconds since the first scan.

        Raises:
            FatalError: a part ended by itself.
        """
        self.alerts.start()
        self.rows.start()
        self.place.start_generator(phases, probe_s=_PROBE_S)
        self._usage = usage = UsageClock(self.pids())
        began: float | None = None
        while not self.done:
            time.sleep(_SAMPLE_S)
            self._check()
            self._read_events()
            if began is None:
                if self.sent == 0:
                    continue
                began, self.began_ms = time.monotonic(), time.time() * 1000
            seconds = time.monotonic() - began
            self.sample(seconds)
            usage.read()
            at_second(seconds)
        scans, visits = self.place.stack.lag()
        self.uncommitted = {"worker": scans, "sink": visits}
        self.batch_rows = {kind: self._batch_rows(kind) for kind in ("worker", "sink")}

    def used(self) -> Usage:
        """What the parts have used since the first scan; once all is stored, that is what all of it cost."""
        return self._usage.read()

    def sample(self, seconds: float) -> None:
        """Take note of how far sending and storing are."""
        self._read_events()
        self.timeline.seconds.append(seconds)
        self.timeline.sent.append(self.sent)
        self.timeline.stored.append(self.stored())

    def stored(self) -> int:
        """Visits that ClickHouse has acknowledged."""
        found = read_metrics(self._port or 0)
        # A question that was not answered in time changes nothing.
        self._stored = max(self._stored, int(found.get('venuecode_sink_rows_total{kind="visits"}', 0)))
        return self._stored

    def _batch_rows(self, kind: str) -> float | None:
        """Records in a batch, on average since the process began; null before the first."""
        port = ready_port(self.place.stack.directory / f"{kind}.ready")
        found = mean(NOTHING, Moment(0.0, read_metrics(port or 0)), f"venuecode_{kind}_batch_rows")
        return None if found is None else round(found, 1)

    def settle(self) -> float:
        """Wait until everything is stored; how many seconds that took.

        Raises:
            FatalError: it took more than five minutes, or a part ended.
        """
        began = time.monotonic()
        self.place.stack.wait(lambda: self.stored() >= self.sent, "all visits to be stored", _SETTLE_S, self._check)
        return time.monotonic() - began

    def finish(self) -> None:
        """Stop watching."""
        self.rows.stop()
        self.alerts.stop()

    def _check(self) -> None:
        generator = self.place.stack.children["generator"]
        self.place.stack.check(frozenset({"generator"}) if generator.poll() == 0 else frozenset())

    def _read_events(self) -> None:
        for event in self._events.new_events():
            self.sent, self.probes = event["delivered"], event["probes"]
            self.done = self.done or event["event"] == "done"


def run_chain_bench(
    rates: Sequence[float] = (100_000,), minutes: float = 1.0, people: int = 1_000_000, runs: int = 3
) -> Document:
    """Measure the chain at every rate.

    Args:
        rates: scans a second, each a variant.
        minutes: how long each run sends.
        people: with a status each.
        runs: rounds.

    Returns:
        The document (`infra.bench.report.document`) with `events_per_s` (scans stored a second after the warm-up),
        `cpu_s_per_million` (all parts but the measuring), `scan_to_alert_ms`, `scan_to_row_ms`, `lag_s` (what was sent
        and not stored, median, in seconds of the rate), `peak_rss_mb` (of the worker). Runs have `sent`, `stored`,
        `lag` (the line through it, records), `lag_grows`, `uncommitted_at_end` (records, by whose they are),
        `batch_rows` (mean), `parts` (CPU and memory by part), `settled_s`.

    Raises:
        ConfigurationError: not enough disk.
        FatalError: a part ended, or sent and stored differ.
    """
    variants = {f"{rate:,.0f} scans/s": lambda _number, rate=rate: _run(rate, minutes * 60, people) for rate in rates}
    return document("chain", alternate(variants, runs), {"minutes": minutes, "people": people}, compare=False)


def disk_gib(phases: Sequence[Phase]) -> float:
    """What a plan may need, topics and tables together."""
    return 2 + sum(phase.seconds * phase.rate for phase in phases) * _BYTES_A_SCAN / 2**30


def _run(rate: float, seconds: float, people: int) -> Run:
    phases = [Phase(seconds, rate)]
    with bench_place(people, free_gib=disk_gib(phases)) as place:
        chain = Chain(place)
        tell(f"  sending {rate:,.0f} scans/s for {seconds:,.0f} s")
        chain.run(phases, lambda second: _tell_progress(chain, second))
        settled = chain.settle()
        usage = chain.used()
        chain.finish()
        check_sums(chain.target, chain.sent)
        return {**figures(chain, usage, rate), "settled_s": round(settled, 2)}


def figures(chain: Chain, usage: Usage, rate: float) -> Run:
    """What a run at one rate measured."""
    warm_up = min(WARM_UP_S, chain.timeline.seconds[-1] / 4)
    since_ms = chain.began_ms + warm_up * 1000
    lag = chain.timeline.growth(warm_up)
    parts = usage.as_json(chain.sent)
    product = sum(part["cpu_s_per_million"] for name, part in parts.items() if name != "measuring")
    behind = sorted(chain.timeline.behind)
    return {
        "events_per_s": round(chain.timeline.rate(warm_up)),
        "cpu_s_per_million": round(product, 2),
        "scan_to_alert_ms": chain.alerts.quantiles(since_ms),
        "scan_to_row_ms": chain.rows.rows.quantiles(since_ms),
        "lag_s": round(behind[len(behind) // 2] / rate, 2),
        "peak_rss_mb": parts["worker"]["peak_rss_mb"],
        "sent": chain.sent,
        "stored": chain.stored(),
        "lag": None if lag is None else lag.as_json(),
        "uncommitted_at_end": chain.uncommitted,
        "batch_rows": chain.batch_rows,
        "lag_grows": None if lag is None else lag.grows(_GROWTH * rate),
        "parts": parts,
        "alerts": chain.alerts.alerts,
        "alert_ids": len(chain.alerts.ids),
        "probes": {"sent": chain.probes, "seen": chain.rows.seen},
    }


def _tell_progress(chain: Chain, second: float) -> None:
    if int(second) % 10 == 0:
        tell(f"  {second:4.0f} s: {chain.sent:,} sent, {chain.timeline.behind[-1]:,} of them not stored yet")
