"""Repeats: the variants of a benchmark one after the other, and all of them again, so that a slow spell hits all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from infra.bench.figures import Run, compared_by, text

Measure = Callable[[int], Run]
"""Runs one variant once; is given the number of the round, from 0."""


def tell(message: str) -> None:
    """A line of progress on standard error."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def alternate(variants: Mapping[str, Measure], rounds: int) -> dict[str, list[Run]]:
    """Run every variant once a round, in a round of their own order each.

    Args:
        variants: by name, in the order to be shown.
        rounds: how often.

    Returns:
        The runs of each variant, by round.
    """
    found: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, measure in variants.items():
            tell(f"round {number + 1} of {rounds}: {name}")
            run = measure(number)
            found[name].append(run)
            rate = compared_by([run])
            if rate is not None:
                tell(f"  {text(run[rate])} {rate}")
    return found
