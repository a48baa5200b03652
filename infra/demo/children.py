"""The processes of a demo: the product's own verbs, told by environment variables where everything is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from infra.embedded.process import ChildProcess
from infra.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """The variables that make another process use the same brokers, the same ClickHouse and the same snapshots."""
    snapshots = settings.worker.snapshot_dir
    return {
        **({} if snapshots is None else {"VENUECODE_WORKER__SNAPSHOT_DIR": str(snapshots)}),
        "VENUECODE_WORKER__ALERTS_REMEMBERED": str(settings.worker.alerts_remembered),
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "VENUECODE_KAFKA__SECURITY_PROTOCOL": settings.kafka.security_protocol,
        "VENUECODE_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "VENUECODE_KAFKA__PARTITIONS": str(settings.kafka.partitions),
        "VENUECODE_CLICKHOUSE__HOST": settings.clickhouse.host,
        "VENUECODE_CLICKHOUSE__PORT": str(settings.clickhouse.port),
        "VENUECODE_CLICKHOUSE__USER": settings.clickhouse.user,
        "VENUECODE_CLICKHOUSE__PASSWORD": settings.clickhouse.password.get_secret_value(),
        "VENUECODE_CLICKHOUSE__DATABASE": settings.clickhouse.database,
        "VENUECODE_RETENTION__ANALYSIS": str(settings.retention.analysis).lower(),
    }


def verb(
    name: str, arguments: list[str], logs: Path, variables: Mapping[str, str], *, niceness: int = 0
) -> ChildProcess:
    """A verb of `venuecode` as a child that dies with this process; it is started here."""
    child = ChildProcess(
        name,
        [sys.executable, "-m", "infra.cli.main", *arguments],
        logs / f"{name}.log",
        env={**os.environ, **variables, "VENUECODE_LOG_FORMAT": "json"},
        niceness=niceness,
    )
    child.start()
    return child


def ready_port(ready_file: Path) -> int | None:
    """The port in a ready file, once its process has written it."""
    try:
        return int(json.loads(ready_file.read_text())["metrics_port"])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(port: int) -> bool:
    """Whether `/ready` on a loopback port answers 200."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


class EventTail:
    """Follows the JSON events that a child writes into its log, one object a line.

    Args:
        path: the log; lines that are no events are passed over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._rest = b""

    def new_events(self) -> Iterator[dict[str, Any]]:
        """Events that were completed since the last call."""
        try:
            with self._path.open("rb") as log:
                log.seek(self._position)
                data = self._rest + log.read()
                self._position = log.tell()
        except FileNotFoundError:
            return
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            if line.startswith(b'{"event"'):
                yield json.loads(line)
