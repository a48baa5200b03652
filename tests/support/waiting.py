"""Waiting for a condition with a deadline, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL_S = 0.02


def wait_until(condition: Callable[[], object], timeout: float, what: str) -> None:
    """Return as soon as `condition()` is true.

    Args:
        condition: asked every 20 ms.
        timeout: seconds until giving up.
        what: what is waited for, for the message.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(_POLL_S)
