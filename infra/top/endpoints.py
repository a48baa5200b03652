"""Finds the processes that can be asked: by their ready files, and by the ports of the settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings

_READY_FILES = ("*.ready", "*/*.ready", "demo/*/*.ready")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port on loopback where `/metrics` may answer, and the name under which its process is started again."""

    name: str
    port: int


def endpoints(settings: Settings, ports: Iterable[int] = ()) -> list[Endpoint]:
    """Where to ask, each port once.

    Args:
        settings: whose ports, and whose data directory with the ready files of demos and platforms.
        ports: to be asked as well.
    """
    found = {port: Endpoint(f"port {port}", port) for port in ports}
    for name, port in (("worker", settings.worker.metrics_port), ("sink", settings.sink.metrics_port)):
        if port:
            found.setdefault(port, Endpoint(name, port))
    for endpoint in _from_ready_files(settings.data_dir):
        found.setdefault(endpoint.port, endpoint)
    return list(found.values())


def _from_ready_files(directory: Path) -> Iterator[Endpoint]:
    for pattern in _READY_FILES:
        for path in sorted(directory.glob(pattern)):
            try:
                yield Endpoint(str(path), int(json.loads(path.read_text())["metrics_port"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # being written, or gone with its demo
