"""The machine: Python, packages, ports, disk."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from infra.doctor.finding import Finding
from infra.doctor.surroundings import Surroundings

_OLDEST_PYTHON: Final = (3, 11)
_DISK_FAIL: Final = 1 << 30
_DISK_WARN: Final = 5 << 30
_EXTRAS: Final = ("", "embedded")


def check_python(_: Surroundings) -> Iterable[Finding]:
    """The interpreter is new enough."""
    return [python_finding(sys.version_info[:3])]


def python_finding(version: tuple[int, ...]) -> Finding:
    text = ".".join(map(str, version))
    if version >= _OLDEST_PYTHON:
        return Finding("Python", "ok", text)
    needed = ".".join(map(str, _OLDEST_PYTHON))
    return Finding(
        "Python", "fail", f"{text} is too old, {needed} is needed", "make clean setup PYTHON=/path/to/python3"
    )


def check_packages(_: Surroundings) -> Iterable[Finding]:
    """The installed packages are those the project asks for."""
    try:
        required = metadata.requires("venuecode") or []
    except metadata.PackageNotFoundError:
        return [Finding("packages", "fail", "venuecode itself is not installed", "make setup")]
    return package_findings(map(Requirement, required), _installed_version)


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def package_findings(required: Iterable[Requirement], installed: Callable[[str], str | None]) -> Iterator[Finding]:
    """What is missing or has the wrong version, or one finding that all is well.

    Args:
        required: of the project and its extra `embedded`; others are not looked at.
        installed: the version of a package, None where it is missing.
    """
    count = 0
    wrong = False
    for requirement in required:
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in _EXTRAS):
            continue
        count += 1
        version = installed(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong = True
            seen = "is missing" if version is None else f"is {version}"
            yield Finding(
                f"package {requirement.name}", "fail", f"{seen}, needed is {requirement.specifier}", "make setup"
            )
    if not wrong:
        yield Finding("packages", "ok", f"{count} are as required")


def check_disk(surroundings: Surroundings) -> Iterable[Finding]:
    """There is room where the embedded platform keeps its data."""
    folder = surroundings.settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return [disk_finding(folder, shutil.disk_usage(existing).free)]


def disk_finding(folder: Path, free: int) -> Finding:
    room = f"{free / (1 << 30):.1f} GiB are free for {folder}"
    remedy = "free some space, or set VENUECODE_DATA_DIR to a larger disk"
    if free < _DISK_FAIL:
        return Finding("disk", "fail", f"{room}: Kafka and ClickHouse stop when a disk is full", remedy)
    if free < _DISK_WARN:
        return Finding("disk", "warn", f"{room}: a day of a city may not fit", remedy)
    return Finding("disk", "ok", room)


def check_ports(surroundings: Surroundings) -> Iterable[Finding]:
    """The ports of worker and sink are free, or theirs."""
    settings = surroundings.settings
    return [
        port_finding("worker", settings.worker.metrics_port, "VENUECODE_WORKER__METRICS_PORT"),
        port_finding("sink", settings.sink.metrics_port, "VENUECODE_SINK__METRICS_PORT"),
    ]


def port_finding(who: str, port: int, setting: str) -> Finding:
    subject = f"port of the {who}"
    if port == 0:
        return Finding(subject, "ok", "any free one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return _taken(subject, who, port, setting, error)
    return Finding(subject, "ok", f"{port} is free: no {who} runs here")


def _taken(subject: str, who: str, port: int, setting: str, error: OSError) -> Finding:
    from urllib.request import urlopen

    try:
        with urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer:
            alive = answer.status == 200
    except (OSError, ValueError):
        alive = False
    if alive:
        return Finding(subject, "ok", f"{port} answers: a {who} runs here")
    return Finding(
        subject,
        "fail",
        f"{port} cannot be used ({error.strerror}), and no {who} answers there",
        f"stop the program that listens there, or set {setting}",
    )
