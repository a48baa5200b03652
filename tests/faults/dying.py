"""What happens at a named step of processes that are else started like `venuecode worker` and `venuecode sink`."""

from __future__ import annotations

import argparse
import os
import signal
from enum import Enum
from pathlib import Path


class DieAt:
    """Kills the own process when a step is reached for the n-th time, or stops another one.

    Args:
        step: its name; empty: never.
        times: n, from 1.
        stop: process id of the other one, which gets SIGSTOP.
    """

    def __init__(self, step: str, times: int, stop: int | None = None) -> None:
        self._step = step
        self._left = times
        self._victim = (os.getpid(), signal.SIGKILL) if stop is None else (stop, signal.SIGSTOP)

    def __call__(self, step: Enum) -> None:
        if step.value == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(*self._victim)


def arguments() -> argparse.Namespace:
    """The command line of both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--metrics-port", type=int, default=0)
    parser.add_argument("--instance-id")
    parser.add_argument("--step", default="", help="where to die")
    parser.add_argument("--times", type=int, default=1, help="at which time of it")
    parser.add_argument("--stop", type=int, help="process to stop there, instead of dying")
    parser.add_argument("--kafka", action="append", default=[], metavar="NAME=VALUE", help="librdkafka setting")
    return parser.parse_args()


def cluster_overrides(given: list[str]) -> dict[str, str]:
    """librdkafka settings from the command line."""
    return dict(one.split("=", 1) for one in given)
