"""A straight line through samples: does something grow, and how sure is that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

_Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Trend:
    """A least-squares line: `slope` a second, with its 95 % interval from `low` to `high`, and the samples' `mean`.

    The interval takes samples that follow one another to be as many independent ones as their lag-1 autocorrelation
    leaves (n (1 - r) / (1 + r)): a saw-tooth is not mistaken for many witnesses.
    """

    slope: float
    low: float
    high: float
    mean: float

    def as_json(self) -> dict[str, float]:
        """All of it, rounded."""
        return {name: round(float(getattr(self, name)), 4) for name in ("slope", "low", "high", "mean")}

    def grows(self, tolerated: float) -> bool:
        """Whether it surely grows by more than so much a second."""
        return self.low > tolerated


def trend(seconds: ArrayLike, values: ArrayLike) -> Trend:
    """The line through samples.

    Args:
        seconds: when each was taken.
        values: the samples.

    Raises:
        ValueError: fewer than three samples, or all taken at one moment.
    """
    x, y = np.asarray(seconds, float), np.asarray(values, float)
    if len(x) < 3 or np.ptp(x) == 0:
        raise ValueError("a trend needs three samples at different times")
    centred: Any = x - x.mean()
    slope = float((centred * (y - y.mean())).sum() / (centred**2).sum())
    rest = y - y.mean() - slope * centred
    independent = max(3.0, len(x) * _independence(rest))
    error = float(np.sqrt((rest**2).sum() / (len(x) - 2) / (centred**2).sum() * len(x) / independent))
    return Trend(slope, slope - _Z95 * error, slope + _Z95 * error, float(y.mean()))


def _independence(rest: Any) -> float:
    """The share of samples that are as good as independent."""
    power = float((rest**2).sum())
    if power == 0:
        return 1.0
    correlation = min(0.99, max(0.0, float((rest[1:] * rest[:-1]).sum()) / power))
    return (1 - correlation) / (1 + correlation)
