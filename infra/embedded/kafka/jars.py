"""The jars of Apache Kafka on this machine: downloaded once, checked against the committed pins, then kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.embedded.kafka.pins import KAFKA_VERSION, Pin, read_pins, sha256_of
from schemas.errors import ConfigurationError

CACHE_VARIABLE = "VENUECODE_CACHE_DIR"
"""Environment variable that moves the cache directory; default: the user's (platformdirs)."""


def cache_dir() -> Path:
    """Where downloaded jars are kept."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_path("venuecode"))


def ensure_jars(
    directory: Path | None = None, pins: list[Pin] | None = None, what: str = f"Apache Kafka {KAFKA_VERSION}"
) -> list[Path]:
    """The jars, each with the pinned SHA-256; downloads them when there are none yet, with progress on standard error.

    Every call checks every jar (about 0.1 s for 47 MB); only the very first one uses the network.

    Args:
        directory: where they are kept; None: under the cache directory.
        pins: which; None: the committed ones.
        what: they are, for the line of progress.

    Returns:
        Their paths, in the order of the pins, which is the order of the class path.

    Raises:
        ConfigurationError: a jar was changed, is missing or is not one of Kafka's; the directory cannot be written.
        RetryableError: they are not here and cannot be downloaded.
    """
    wanted = read_pins() if pins is None else pins
    home = cache_dir() / f"kafka-{KAFKA_VERSION}" if directory is None else directory
    try:
        if not home.is_dir():
            home.parent.mkdir(parents=True, exist_ok=True)
            with locked(home.parent / f".{home.name}.lock"):
                if not home.is_dir():
                    _install(wanted, home, what)
        return verify(home, wanted)
    except OSError as error:
        raise ConfigurationError(
            f"Kafka's jars cannot be kept in {home}: {error.strerror}. {CACHE_VARIABLE} names another directory."
        ) from error


def verify(home: Path, pins: list[Pin]) -> list[Path]:
    """The paths of the pinned jars in `home`.

    Raises:
        ConfigurationError: a jar was changed, is missing or is not one of Kafka's.
    """
    remedy = f"Remove {home} and start again: the jars are then downloaded anew."
    expected = {pin.file_name for pin in pins}
    present = {path.name for path in home.glob("*.jar")}
    if missing := sorted(expected - present):
        raise ConfigurationError(f"Kafka's jar {missing[0]} is missing in {home}. {remedy}")
    if extra := sorted(present - expected):
        raise ConfigurationError(f"{home / extra[0]} is not one of Kafka's jars. {remedy}")
    for pin in pins:
        if (found := sha256_of(home / pin.file_name)) != pin.sha256:
            raise ConfigurationError(
                f"Kafka's jar {home / pin.file_name} was changed: its SHA-256 is {found}, not {pin.sha256} as "
                f"committed for {pin.coordinates}. It is not run. {remedy}"
            )
    return [home / pin.file_name for pin in pins]


def _install(pins: list[Pin], home: Path, what: str) -> None:
    from infra.embedded.kafka.resolve import download  # needs the network: not on the way of a later start

    # Everything happens beside the final place: an interrupted download leaves nothing that looks complete.
    staging = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        with _progress() as progress:
            task = progress.add_task(f"{what} from Maven Central", total=len(pins))
            found = download([pin.coordinates for pin in pins], staging / "m2", lambda _: progress.advance(task))
        jars = staging / "jars"
        jars.mkdir()
        for pin in pins:
            shutil.move(found[pin.coordinates], jars / pin.file_name)
        verify(jars, pins)
        jars.rename(home)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock file, and hold it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
