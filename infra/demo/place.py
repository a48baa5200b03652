"""Where a demo runs: a directory, ports and servers of its own, all gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.demo.stack import Stack
from infra.platform import Platform
from infra.settings import ClickHouseSettings, KafkaSettings, Settings
from infra.supervision import Supervisor


@contextmanager
def demo_stack(base: Settings) -> Iterator[Stack]:
    """Servers with nothing in them, and a stack that knows them; SIGTERM ends it as Ctrl-C does.

    The usual ports are taken where they are free, so that other verbs find the demo without a setting.

    Args:
        base: the settings; addresses and security are replaced by the demo's own.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with (
        _own_directory(base.data_dir) as directory,
        Platform(directory, kafka_port=_free_port(9092), clickhouse_port=_free_port(8123)) as platform,
    ):
        kafka = KafkaSettings(
            bootstrap_servers=platform.kafka.bootstrap_servers,
            topic_prefix=base.kafka.topic_prefix,
            partitions=base.kafka.partitions,
        )
        clickhouse = ClickHouseSettings(port=platform.clickhouse_port, database=base.clickhouse.database)
        worker = base.worker.model_copy(update={"snapshot_dir": directory / "statuses"})
        chosen = base.model_copy(update={"kafka": kafka, "clickhouse": clickhouse, "worker": worker})
        supervisor = Supervisor(platform.services())
        supervisor.watch()
        stack = Stack(chosen, directory, supervisor)
        try:
            yield stack
        finally:
            stack.stop()


def command_prefix(settings: Settings) -> str:
    """How to call `venuecode` from this shell against the demo: variables where needed, and a name that is found."""
    usual = Settings()
    variables = []
    if settings.kafka.bootstrap_servers != usual.kafka.bootstrap_servers:
        variables.append(f"VENUECODE_KAFKA__BOOTSTRAP_SERVERS={settings.kafka.bootstrap_servers}")
    if settings.clickhouse.port != usual.clickhouse.port:
        variables.append(f"VENUECODE_CLICKHOUSE__PORT={settings.clickhouse.port}")
    if settings.retention.analysis != usual.retention.analysis:
        variables.append("VENUECODE_RETENTION__ANALYSIS=true")
    program = Path(sys.argv[0]).resolve()
    on_path = shutil.which("venuecode")
    if on_path is not None and Path(on_path).resolve() == program:
        name = "venuecode"
    else:
        name = os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
    return " ".join([*variables, name])


@contextmanager
def _own_directory(data_dir: Path) -> Iterator[Path]:
    parent = data_dir / "demo"
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.iterdir():  # what a killed demo left behind
        if old.name.isdigit() and not _alive(int(old.name)):
            shutil.rmtree(old, ignore_errors=True)
    own = parent / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free_port(preferred: int) -> int:
    """The preferred loopback port when nobody has it, else 0: any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return 0
    return preferred


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt
