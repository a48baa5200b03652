"""Reads what a process's `/metrics` says."""

from __future__ import annotations

from urllib.error import URLError
from urllib.request import urlopen

_TIMEOUT_S = 5.0


def read_metrics(port: int, host: str = "127.0.0.1") -> dict[str, float]:
    """All samples by name with labels, as `name{label="value"}`; empty when nobody answers."""
    try:
        with urlopen(f"http://{host}:{port}/metrics", timeout=_TIMEOUT_S) as answer:
            return parse(answer.read().decode())
    except (URLError, OSError):
        return {}


def parse(text: str) -> dict[str, float]:
    """The samples of a text exposition."""
    pairs = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}
