"""What runs where, and whether it answers."""

from __future__ import annotations

import http.client
from dataclasses import asdict, dataclass
from typing import Any, Literal

from infra.embedded.kafka import MetadataProbe
from infra.platform.state import Component, PlatformFiles, PlatformState
from infra.settings import Settings

Condition = Literal["running", "starting", "degraded", "killed", "stopped"]
_MEANING: dict[Condition, str] = {
    "running": "everything answers",
    "starting": "is being started",
    "degraded": "a server is down though it should run; it is started again by itself unless it was given up",
    "killed": "its processes are gone, and nobody stopped it: `venuecode platform up` starts it again",
    "stopped": "not running: `venuecode platform up` starts it",
}


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """One server and whether it answers."""

    component: Component
    healthy: bool

    def as_json(self, since: str | None) -> dict[str, Any]:
        """Everything, for `--json`."""
        component = self.component
        return {
            "name": component.name,
            "healthy": self.healthy,
            "pid": component.process.pid,
            "address": component.address,
            "port": int(component.address.rpartition(":")[2]),
            "since": since,
            "data_dir": component.data_dir,
            "log": component.log,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One platform: what its state file says, and what is true."""

    files: PlatformFiles
    condition: Condition
    state: PlatformState | None
    components: tuple[ComponentReport, ...] = ()

    @property
    def running(self) -> bool:
        """Whether there is a process that owns servers."""
        return self.condition in ("running", "starting", "degraded")

    @property
    def healthy(self) -> bool:
        """Whether everything answers."""
        return self.condition == "running"

    @property
    def as_it_should_be(self) -> bool:
        """Whether nothing is down though it should run."""
        return self.condition in ("running", "starting", "stopped")

    @property
    def meaning(self) -> str:
        """The condition in words, and what to do."""
        return _MEANING[self.condition]

    def as_json(self) -> dict[str, Any]:
        """Everything, for `--json`."""
        state = self.state
        return {
            "condition": self.condition,
            "meaning": self.meaning,
            "healthy": self.healthy,
            "data_dir": str(self.files.data_dir),
            "log": str(self.files.log),
            "supervisor_pid": state.supervisor.pid if state else None,
            "since": state.since if state else None,
            "brokers": state.brokers if state else None,
            "analysis": state.analysis if state else self.files.analysis_mark.exists(),
            "retention_days": state.retention_days if state else None,
            "bootstrap_servers": state.bootstrap_servers if state else None,
            "clickhouse_port": state.clickhouse_port if state else None,
            "error": state.error if state else "",
            "restarts": [asdict(each) for each in state.restarts] if state else [],
            "environment": variables(state) if state else {},
            "components": [each.as_json(state.since if state else None) for each in self.components],
        }


def report(files: PlatformFiles) -> Report:
    """Look at a platform: its processes and whether its servers answer, within about four seconds."""
    state = files.read()
    if state is None:
        return Report(files, "stopped", None)
    components = tuple(ComponentReport(each, _answers(state, each)) for each in state.components)
    return Report(files, _condition(state, components), state, components)


def variables(state: PlatformState) -> dict[str, str]:
    """The environment variables that point every other verb at this platform, where the default does not already."""
    wanted = {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": state.bootstrap_servers,
        "VENUECODE_KAFKA__REPLICATION_FACTOR": str(state.brokers),
        "VENUECODE_CLICKHOUSE__PORT": str(state.clickhouse_port),
        "VENUECODE_RETENTION__ANALYSIS": str(state.analysis).lower(),
    }
    defaults = Settings.model_construct()
    usual = {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": defaults.kafka.bootstrap_servers,
        "VENUECODE_KAFKA__REPLICATION_FACTOR": str(defaults.kafka.replication_factor),
        "VENUECODE_CLICKHOUSE__PORT": str(defaults.clickhouse.port),
        "VENUECODE_RETENTION__ANALYSIS": str(defaults.retention.analysis).lower(),
    }
    return {name: value for name, value in wanted.items() if value != usual[name]}


def _condition(state: PlatformState, components: tuple[ComponentReport, ...]) -> Condition:
    if not state.supervisor.is_alive():
        return "killed"
    if state.phase != "running":
        return "starting"
    return "running" if all(each.healthy for each in components) else "degraded"


def _answers(state: PlatformState, component: Component) -> bool:
    if not component.process.is_alive():
        return False
    kind, _, number = component.name.partition("-")
    if kind == "kafka":
        return int(number) in MetadataProbe(component.address).brokers()
    connection = http.client.HTTPConnection(component.address, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().read() == b"Ok.\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
