"""The product's own processes beside running servers: topics and tables, a sink, a worker, and whoever sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from confluent_kafka.admin import AdminClient

from infra.demo.children import environment, is_ready, ready_port, verb
from infra.embedded.process import STORES_LATER, ChildProcess, ending
from infra.lag import GroupLag, topic_ends
from infra.settings import Settings
from infra.supervision import Restarted, Service, Supervisor
from infra.targets import clickhouse_target, kept_days
from infra.topics import apply_topics, plan
from schemas.errors import FatalError
from sinks.clickhouse.migrate import Migrator

_PAUSE_S = 0.05
_STOP_S = 10.0


class Stack:
    """Worker, sink and other verbs as children that die with this process.

    Args:
        settings: where the servers are; the children get the same.
        directory: of logs and ready files.
        supervisor: starts the services again when they end by themselves; None: their end is an error.
    """

    def __init__(self, settings: Settings, directory: Path, supervisor: Supervisor | None = None) -> None:
        self._supervisor = supervisor
        self.settings = settings
        self.directory = directory
        self.topics = settings.kafka.topics()
        # librdkafka would write to standard error when the servers end before this client does.
        self.admin = AdminClient({**settings.kafka.librdkafka(), "log_level": 2})
        self.children: dict[str, ChildProcess] = {}
        cluster = settings.kafka.librdkafka()
        self._worker_lag = GroupLag(cluster, settings.worker.group)
        self._sink_lag = GroupLag(cluster, settings.sink.group)

    def prepare(self) -> None:
        """Create the topics and the tables."""
        apply_topics(self.settings.kafka.librdkafka(), plan(self.settings))
        Migrator(clickhouse_target(self.settings), kept_days(self.settings), timezone=self.settings.timezone).up()

    def start(self, name: str, arguments: list[str], *, niceness: int = 0) -> ChildProcess:
        """Start a verb under a name, such as `worker`; a name that is taken must have ended."""
        variables = environment(self.settings)
        self.children[name] = verb(name, arguments, self.directory, variables, niceness=niceness)
        return self.children[name]

    def start_service(self, kind: str, name: str | None = None) -> ChildProcess:
        """Start a `worker` or a `sink` with a metrics port and a ready file of its own."""
        name = name or kind
        self._ready_file(name).unlink(missing_ok=True)
        arguments = [kind, "--ready-file", str(self._ready_file(name)), "--metrics-port", "0"]
        child = self.start(name, arguments, niceness=STORES_LATER if kind == "sink" else 0)
        if self._supervisor is not None:
            self._supervisor.add(Service(name, partial(_why_ended, child), partial(self._start_again, name, child)))
        return child

    def _start_again(self, name: str, child: ChildProcess) -> None:
        self._ready_file(name).unlink(missing_ok=True)
        child.start()

    @property
    def restarts(self) -> Mapping[str, Restarted]:
        """What ended by itself and was started again, by name; servers too."""
        return {} if self._supervisor is None else self._supervisor.restarts

    def is_up(self, name: str) -> bool:
        """Whether a service says it is ready."""
        port = ready_port(self._ready_file(name))
        return port is not None and is_ready(port)

    def check(self, ended_well: frozenset[str] = frozenset()) -> None:
        """Look whether every child still runs; where there is a supervisor, it sees to the services.

        Args:
            ended_well: names that may have ended.

        Raises:
            FatalError: one ended by itself, or was given up; the message ends with its last log lines.
        """
        supervised: set[str] = set()
        if self._supervisor is not None:
            if self._supervisor.failures:
                raise FatalError("\n".join([*self._supervisor.failures, f"the logs are in {self.directory}"]))
            supervised = self._supervisor.names
        for name, child in self.children.items():
            code = child.poll()
            if code is not None and name not in ended_well | supervised:
                raise FatalError(f"{name} ended by itself (exit code {code}):\n{child.log_tail(15)}")

    def wait(
        self, condition: Callable[[], bool], what: str, timeout: float, between: Callable[[], object] | None = None
    ) -> None:
        """Wait for a condition.

        Args:
            condition: asked again and again.
            what: is waited for, for the message.
            timeout: seconds.
            between: called between two looks; by default `check`.

        Raises:
            FatalError: it did not come true in time, or a child ended meanwhile.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            (between or self.check)()
            if time.monotonic() > deadline:
                raise FatalError(f"waited {timeout:.0f} s for {what}; the logs are in {self.directory}")
            time.sleep(_PAUSE_S)

    def lag(self) -> tuple[int, int]:
        """Scans the workers have not committed, and visits the sinks have not committed."""
        scans, visits = self.topics.scans, self.topics.visits
        return self._worker_lag.records([scans])[scans], self._sink_lag.records([visits])[visits]

    def dead_letters(self) -> int:
        """Records in the dead letters."""
        return topic_ends(self.admin, self.topics.dead_letters).records

    def stop(self) -> None:
        """Ask all children to end, and end by force what has not after ten seconds; harmless when called twice."""
        if self._supervisor is not None:
            self._supervisor.close()
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + _STOP_S
        for child in self.children.values():
            child.wait(max(0.0, deadline - time.monotonic()))
            child.kill()
        self.children.clear()
        self._worker_lag.close()
        self._sink_lag.close()

    def _ready_file(self, name: str) -> Path:
        return self.directory / f"{name}.ready"


def _why_ended(child: ChildProcess) -> str | None:
    code = child.poll()
    return None if code is None else ending(code)
