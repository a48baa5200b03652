"""Makes metrics of the closed list, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from schemas.metrics import Kind, Metric

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each counter would export a second metric


class MetricRegistry:
    """A process's metrics; each is made once, by its name in the list.

    Args:
        prefix: of this process's names, such as `venuecode_worker_`.
        metrics: that may be made.
    """

    def __init__(self, prefix: str, metrics: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._prefix = prefix
        self._known = {metric.name: metric for metric in metrics}
        ProcessCollector(registry=self.registry)

    def counter(self, name: str) -> Counter:
        """Raises KeyError: not in the list as a counter; so do the others."""
        metric = self._find(name, "counter")
        return Counter(metric.name, metric.meaning, tuple(metric.labels), registry=self.registry)

    def gauge(self, name: str) -> Gauge:
        """What is now."""
        metric = self._find(name, "gauge")
        return Gauge(metric.name, metric.meaning, tuple(metric.labels), registry=self.registry)

    def histogram(self, name: str) -> Histogram:
        """Observed one by one."""
        metric = self._find(name, "histogram")
        return Histogram(
            metric.name, metric.meaning, tuple(metric.labels), registry=self.registry, buckets=metric.buckets
        )

    def many(self, name: str) -> ManyHistogram:
        """A histogram observed in batches."""
        found = ManyHistogram(self._find(name, "histogram"))
        self.registry.register(found)
        return found

    def _find(self, name: str, kind: Kind) -> Metric:
        metric = self._known[self._prefix + name]
        if metric.kind != kind:
            raise KeyError(f"{metric.name} is a {metric.kind}")
        return metric


class ManyHistogram(Collector):
    """A histogram that takes a batch of values at once: the cost is a batch's, not a value's. One writer."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._bounds = np.array(metric.buckets)
        self._counts = np.zeros(len(metric.buckets) + 1, np.int64)
        self._sum = 0.0

    def observe_all(self, values: ArrayLike) -> None:
        """Count values in the metric's unit."""
        found = np.asarray(values, float)
        # A bucket holds what is not above its bound.
        self._counts += np.bincount(np.searchsorted(self._bounds, found, side="left"), minlength=len(self._counts))
        self._sum += float(found.sum())

    def collect(self) -> Iterable[Any]:
        """One family, cumulative, as the exposition wants it."""
        bounds = [f"{bound:g}" if bound != int(bound) else f"{bound:.1f}" for bound in self._metric.buckets]
        buckets = list(zip([*bounds, "+Inf"], np.cumsum(self._counts).astype(float).tolist(), strict=True))
        yield HistogramMetricFamily(self._metric.name, self._metric.meaning, buckets=buckets, sum_value=self._sum)
