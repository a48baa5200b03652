"""The metrics: a closed list, one place, nothing else exported, no unbounded label."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.metrics_page import PAGE, page
from schemas.metric_registry import ManyHistogram, MetricRegistry
from schemas.metrics import DECISIONS, EXPORTED, SINK, SINK_KINDS, WORKER, Metric
from schemas.topics import Topics
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.routes import routes
from streams.metrics import WorkerMetrics
from streams.rules import RULES
from tests.support.exposition import problems


def test_a_worker_exports_the_list_and_nothing_else() -> None:
    metrics = WorkerMetrics()
    metrics.decided(Counter(admit=3))
    metrics.lag(4, 17, waits=True)
    assert problems(generate_latest(metrics.registry).decode(), EXPORTED["worker"]) == []


def test_a_sink_exports_the_list_and_nothing_else() -> None:
    assert problems(generate_latest(SinkMetrics().registry).decode(), EXPORTED["sink"]) == []


def test_what_is_beyond_the_list_is_found() -> None:
    metrics = WorkerMetrics()
    metrics.alerts.labels("a" * 32).inc()
    text = generate_latest(metrics.registry).decode()
    listed = [metric for metric in EXPORTED["worker"] if metric.name != "venuecode_worker_scans"]
    found = " ".join(problems(text, listed, ["a" * 32]))
    assert "not in the list: venuecode_worker_scans" in found
    assert f"level={'a' * 32}" in found
    assert f"the token {'a' * 32} is in it" in found


def test_a_metric_that_is_not_in_the_list_cannot_be_made() -> None:
    make = MetricRegistry("venuecode_worker_", EXPORTED["worker"])
    with pytest.raises(KeyError):
        make.counter("unheard_of")
    with pytest.raises(KeyError, match="is a counter"):
        make.gauge("scans")


@pytest.mark.parametrize("metric", [*WORKER, *SINK], ids=lambda metric: metric.name)
def test_every_metric_says_its_unit_and_meaning_and_bounds_its_labels(metric: Metric) -> None:
    assert re.fullmatch(r"venuecode_(worker|sink)_[a-z_]+", metric.name)
    assert metric.unit
    assert metric.meaning
    assert all(metric.labels.values())
    assert (metric.kind == "histogram") == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_the_values_in_the_list_are_the_ones_of_the_rules_and_the_routes() -> None:
    assert {rule.decision for rule in RULES.rules.values()} == set(DECISIONS)
    assert {route.kind for route in routes(Topics()).values()} == set(SINK_KINDS)


def test_the_page_is_the_one_made_from_the_list() -> None:
    assert PAGE.read_text() == page(), "python -m infra.metrics_page writes it again"


def test_many_values_at_once_count_as_one_by_one() -> None:
    values = [0.0, 0.1, 0.1000001, 0.5, 3.0]
    histogram = ManyHistogram(Metric("x", "histogram", "s", "x", buckets=(0.1, 0.5, 1)))
    histogram.observe_all(values[:2])
    histogram.observe_all(values[2:])
    (family,) = histogram.collect()
    counts = {sample.labels["le"]: sample.value for sample in family.samples if sample.name == "x_bucket"}
    assert counts == {"0.1": 2, "0.5": 4, "1.0": 4, "+Inf": 5}
    totals = {sample.name: sample.value for sample in family.samples if not sample.labels}
    assert totals == {"x_count": 5, "x_sum": pytest.approx(sum(values))}


def test_the_alert_histogram_has_bounds_at_what_is_promised() -> None:
    (alert_seconds,) = (metric for metric in WORKER if metric.name.endswith("alert_seconds"))
    assert {0.05, 0.1, 0.25} <= set(alert_seconds.buckets)


def test_lag_is_shown_of_owned_partitions_only_and_in_seconds_only_while_scans_wait() -> None:
    metrics = WorkerMetrics()
    metrics.owns(frozenset({1, 2}))
    metrics.finished(1, 1_000_000)
    metrics.lag(1, 5, waits=True)
    metrics.lag(2, 0, waits=False)
    shown = {
        (sample.name, sample.labels["partition"]): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if "partition" in sample.labels
    }
    assert shown["venuecode_worker_lag_records", "1"] == 5
    assert shown["venuecode_worker_lag_seconds", "1"] > 1e6
    assert shown["venuecode_worker_lag_seconds", "2"] == 0
    metrics.owns(frozenset({2}))
    assert b'partition="1"' not in generate_latest(metrics.registry)
