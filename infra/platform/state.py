"""What `platform up` started and where: a file beside the data, which outlives a killed platform and then says so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from infra.embedded.identity import ProcessIdentity

Phase = Literal["starting", "running", "failed"]


@dataclass(frozen=True, slots=True)
class Component:
    """One server: its process, `address` (host:port), directory of its data, and its log."""

    name: str
    process: ProcessIdentity
    address: str
    data_dir: str
    log: str


@dataclass(frozen=True, slots=True)
class Restart:
    """A server that ended by itself and was started again: how often, why and when (RFC 3339) the last time."""

    name: str
    count: int
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class PlatformState:
    """A platform in the background.

    Attributes:
        supervisor: the process that owns the servers.
        phase: `failed` only for as long as the one who started it has not read `error`.
        since: RFC 3339, when it was started.
        brokers: of Kafka.
        analysis: whether its retention is lifted.
        retention_days: that movements are kept; None when it is lifted.
        bootstrap_servers: Kafka's addresses, comma-separated; empty while it starts.
        clickhouse_port: of ClickHouse's HTTP interface; 0 while it starts.
        components: the servers.
        restarts: servers that ended by themselves since and were started again.
        error: why it failed, or which server was given up since.
    """

    supervisor: ProcessIdentity
    phase: Phase
    since: str
    brokers: int
    analysis: bool
    retention_days: int | None
    bootstrap_servers: str = ""
    clickhouse_port: int = 0
    components: tuple[Component, ...] = ()
    restarts: tuple[Restart, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class PlatformFiles:
    """The files of a platform in its data directory."""

    data_dir: Path

    @property
    def state(self) -> Path:
        """`PlatformState` as JSON; there from `up` to `down`."""
        return self.data_dir / "platform.json"

    @property
    def log(self) -> Path:
        """What the supervisor has to say."""
        return self.data_dir / "platform.log"

    @property
    def lock(self) -> Path:
        """Held by `up` and `down`, so that two of them at once do not meet."""
        return self.data_dir / "platform.lock"

    @property
    def analysis_mark(self) -> Path:
        """There once the data was kept without a retention; stays as long as the data."""
        return self.data_dir / "analysis"

    @property
    def all(self) -> tuple[Path, ...]:
        """Everything that belongs to a platform, directories included."""
        servers = (self.data_dir / "kafka", self.data_dir / "clickhouse")
        return (*servers, self.state, self.log, self.analysis_mark, self.lock)

    def read(self) -> PlatformState | None:
        """The state, or None when there is none or the file is no state of this version."""
        try:
            document = json.loads(self.state.read_text())
            return _from_json(document)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def write(self, state: PlatformState) -> None:
        """Write the state in one step: a reader sees the old or the new one."""
        staged = self.state.with_suffix(".new")
        staged.write_text(json.dumps(asdict(state), indent=1) + "\n")
        staged.replace(self.state)


def _from_json(document: dict[str, Any]) -> PlatformState:
    components = tuple(
        Component(**{**component, "process": ProcessIdentity(**component["process"])})
        for component in document.pop("components")
    )
    restarts = tuple(Restart(**each) for each in document.pop("restarts", ()))
    supervisor = ProcessIdentity(**document.pop("supervisor"))
    return PlatformState(**document, supervisor=supervisor, components=components, restarts=restarts)
