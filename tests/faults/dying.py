"""Processes that kill themselves with -9 at a named step, started like `venuecode worker` and `venuecode sink`."""

from __future__ import annotations

import argparse
import os
import signal
from enum import Enum
from pathlib import Path


class DieAt:
    """Kills the own process when a step is reached for the n-th time.

    Args:
        step: its name; empty: never.
        times: n, from 1.
    """

    def __init__(self, step: str, times: int) -> None:
        self._step = step
        self._left = times

    def __call__(self, step: Enum) -> None:
        if step.value == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def arguments() -> argparse.Namespace:
    """The command line of both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--metrics-port", type=int, default=0)
    parser.add_argument("--instance-id")
    parser.add_argument("--step", default="", help="where to die")
    parser.add_argument("--times", type=int, default=1, help="at which time of it")
    parser.add_argument("--kafka", action="append", default=[], metavar="NAME=VALUE", help="librdkafka setting")
    return parser.parse_args()


def cluster_overrides(given: list[str]) -> dict[str, str]:
    """librdkafka settings from the command line."""
    return dict(one.split("=", 1) for one in given)
