"""Metrics of one process at one moment, and what two moments tell: rates, and quantiles out of buckets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SAMPLE: Final = re.compile(r"^([a-z_]+)(?:\{(.*)\})?$")
_LABEL: Final = re.compile(r'([a-z_]+)="([^"]*)"')
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One exported value."""

    name: str
    labels: Labels
    value: float


class Moment:
    """What a process exported at one moment.

    Args:
        at: monotonic seconds.
        metrics: as `infra.exposition.read_metrics` returns them.
    """

    def __init__(self, at: float, metrics: Mapping[str, float]) -> None:
        self.at = at
        self._by_name: dict[str, list[Sample]] = {}
        for text, value in metrics.items():
            matched = _SAMPLE.match(text)
            if matched:
                labels = dict(_LABEL.findall(matched[2] or ""))
                self._by_name.setdefault(matched[1], []).append(Sample(matched[1], labels, value))

    def samples(self, name: str) -> list[Sample]:
        """All of one name."""
        return self._by_name.get(name, [])

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples of a name that have these labels; 0 while there is none."""
        wanted = labels.items()
        return sum(sample.value for sample in self.samples(name) if wanted <= sample.labels.items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums by the values of one label."""
        found: dict[str, float] = {}
        for sample in self.samples(name):
            key = sample.labels.get(label, "")
            found[key] = found.get(key, 0.0) + sample.value
        return found

    def buckets(self, name: str) -> list[tuple[float, float]]:
        """Upper bounds of a histogram, ascending, with the number of values up to each."""
        found = self.by(f"{name}_bucket", "le")
        return sorted((float(bound), count) for bound, count in found.items())


NOTHING: Final = Moment(0.0, {})
"""Before a process began: everything is 0."""


def rate(before: Moment, now: Moment, name: str, **labels: str) -> float:
    """Growth of a counter a second; 0 when it was started again in between."""
    seconds = now.at - before.at
    return max(0.0, now.total(name, **labels) - before.total(name, **labels)) / seconds if seconds > 0 else 0.0


def quantile(before: Moment, now: Moment, name: str, q: float) -> float | None:
    """A quantile of what a histogram took in between, interpolated within its bucket; null when it took nothing."""
    earlier = dict(before.buckets(name))
    buckets = [(bound, count - earlier.get(bound, 0.0)) for bound, count in now.buckets(name)]
    if not buckets or buckets[-1][1] <= 0:
        return None
    rank = q * buckets[-1][1]
    lower = below = 0.0
    for bound, count in buckets:
        if count >= rank:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (rank - below) / (count - below if count > below else 1.0)
        lower, below = bound, count
    return lower


def mean(before: Moment, now: Moment, name: str) -> float | None:
    """The mean of what a histogram took in between; null when it took nothing."""
    count = now.total(f"{name}_count") - before.total(f"{name}_count")
    return (now.total(f"{name}_sum") - before.total(f"{name}_sum")) / count if count > 0 else None
