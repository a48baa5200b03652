"""`venuecode top`: rates and quantiles out of exported metrics, restarts seen, and a message when nobody answers."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli.main import build_app
from infra.exposition import parse
from infra.settings import Settings, SinkSettings, WorkerSettings
from infra.top.endpoints import Endpoint, endpoints
from infra.top.samples import NOTHING, Moment, mean, quantile, rate
from infra.top.screen import screen
from infra.top.watch import Watch
from sinks.clickhouse.metrics import SinkMetrics
from streams.metrics import WorkerMetrics

WORKER, SINK = Endpoint("w.ready", 1), Endpoint("s.ready", 2)


class Processes:
    """A worker and a sink that are asked without a port, and a clock."""

    def __init__(self) -> None:
        self.worker, self.sink = WorkerMetrics(), SinkMetrics()
        self.now, self.began = 100.0, 5.0
        self.watch = Watch(lambda: [WORKER, SINK, Endpoint("nobody", 3)], self._read, lambda: self.now)

    def _read(self, port: int) -> dict[str, float]:
        metrics: dict[int, CollectorRegistry] = {1: self.worker.registry, 2: self.sink.registry}
        if port not in metrics:
            return {}
        return {**parse(generate_latest(metrics[port]).decode()), "process_start_time_seconds": self.began}


def moment(at: float, text: str) -> Moment:
    return Moment(at, parse(text))


HISTOGRAM = 'h_bucket{le="0.1"} %d\nh_bucket{le="0.2"} %d\nh_bucket{le="+Inf"} %d\nh_sum %g\nh_count %d\n'


def test_rates_and_means_count_between_two_moments_and_a_restart_is_no_negative_rate() -> None:
    before, now = moment(10, 'c_total{x="a"} 5\nc_total{x="b"} 1\n'), moment(12, 'c_total{x="a"} 9\nc_total{x="b"} 2\n')
    assert rate(before, now, "c_total") == 2.5
    assert rate(before, now, "c_total", x="a") == 2
    assert rate(now, before, "c_total") == 0
    assert rate(moment(10, "c_total 9\n"), moment(12, "c_total 1\n"), "c_total") == 0
    assert mean(NOTHING, moment(1, HISTOGRAM % (1, 3, 4, 0.8, 4)), "h") == pytest.approx(0.2)


def test_quantiles_are_interpolated_within_their_bucket_of_what_came_in_between() -> None:
    before, now = moment(1, HISTOGRAM % (100, 100, 100, 1, 100)), moment(2, HISTOGRAM % (100, 110, 110, 3, 110))
    assert quantile(before, now, "h", 0.5) == pytest.approx(0.15)
    assert quantile(now, now, "h", 0.5) is None
    assert quantile(NOTHING, moment(1, HISTOGRAM % (0, 0, 1, 9, 1)), "h", 0.99) == 0.2
    assert quantile(NOTHING, NOTHING, "h", 0.5) is None


def test_what_workers_and_sinks_say_is_summed_up() -> None:
    processes = Processes()
    processes.watch.look()
    processes.worker.scans.inc(500)
    processes.worker.decided(Counter(admit=490, isolate=10))
    processes.worker.alert_seconds.observe_all([0.021] * 99)
    processes.worker.owns(frozenset({3}))
    processes.worker.lag(3, 17, waits=False)
    processes.sink.rows.labels("visits").inc(400)
    processes.sink.parts.labels("visits").set(4)
    processes.now += 2
    found = processes.watch.look()
    (worker,), (sink,) = found["workers"], found["sinks"]
    assert (worker["scans_per_s"], worker["decisions_per_s"]) == (250, {"admit": 245, "isolate": 5})
    assert 20 <= worker["scan_to_alert_ms"]["p50"] <= worker["scan_to_alert_ms"]["p99"] <= 30
    assert (worker["lag_records"], worker["lag_by_partition"], worker["partitions"]) == (17, {"3": 17}, 1)
    assert (sink["rows_per_s"], sink["visits"], sink["parts"]["visits"]) == (200, 400, 4)
    json.dumps(found)


def test_a_process_that_was_started_again_is_counted_and_its_counters_start_over() -> None:
    processes = Processes()
    processes.worker.scans.inc(500)
    processes.watch.look()
    processes.worker, processes.began = WorkerMetrics(), 7.0
    processes.worker.scans.inc(3)
    processes.now += 1
    (worker,) = processes.watch.look()["workers"]
    assert (worker["restarts_seen"], worker["scans_per_s"]) == (1, 0)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_width_of_terminal_gets_every_figure(width: int) -> None:
    processes = Processes()
    processes.worker.dead_letters.labels("venue.scans.v1", "not_json").inc(2)
    found: dict[str, Any] = processes.watch.look()
    found["brokers"] = {"scans_uncommitted": 12, "visits_uncommitted": 0}
    text = io.StringIO()
    Console(file=text, width=width).print(screen(found, datetime(2026, 3, 1, 12, tzinfo=UTC)))
    shown = text.getvalue()
    for title in ("scans/s", "scan to alert ms", "lag", "parts", "dead letters", "restarts seen", "not_json 2"):
        assert title in shown
    assert "12 scans not committed" in " ".join(shown.split())


def test_endpoints_come_from_ready_files_ports_of_the_settings_and_options_each_port_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, worker=WorkerSettings(metrics_port=6066), sink=SinkSettings(metrics_port=0))
    demo = tmp_path / "demo" / "123"
    demo.mkdir(parents=True)
    (demo / "worker.ready").write_text('{"pid": 1, "metrics_port": 4001}')
    (tmp_path / "sink.ready").write_text('{"pid": 1, "metrics_port": 4002}')
    (tmp_path / "half.ready").write_text('{"pid"')
    assert sorted(endpoint.port for endpoint in endpoints(settings, [4001, 4003])) == [4001, 4002, 4003, 6066]


def test_when_nothing_runs_it_says_what_to_start(tmp_path: Path) -> None:
    variables = {
        "VENUECODE_DATA_DIR": str(tmp_path),
        "VENUECODE_WORKER__METRICS_PORT": "0",
        "VENUECODE_SINK__METRICS_PORT": "0",
    }
    result = CliRunner().invoke(build_app(("top", "doctor")), ["top", "--once"], env=variables)
    assert result.exit_code == 1
    assert "venuecode demo" in " ".join(result.stderr.split())
