"""Real sink processes, as their users start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from sinks.clickhouse.target import ClickHouseTarget
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform


def environment(platform: WorkerPlatform, target: ClickHouseTarget, **variables: str) -> dict[str, str]:
    """The variables that point a verb at the topics and the database of one test."""
    return {
        **os.environ,
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": str(platform.cluster["bootstrap.servers"]),
        "VENUECODE_KAFKA__TOPIC_PREFIX": platform.topics.prefix,
        "VENUECODE_CLICKHOUSE__HOST": target.host,
        "VENUECODE_CLICKHOUSE__PORT": str(target.port),
        "VENUECODE_CLICKHOUSE__DATABASE": target.database,
        "VENUECODE_SINK__GROUP": platform.topics.prefix + "sink",
        **variables,
    }


class SinkProcess:
    """A real `venuecode sink` in a process of its own.

    Args:
        platform: whose topics it stores.
        target: where to.
        directory: for its log and its ready file.
        arguments: further options of the verb.
        module: what is started instead of `venuecode`.
        **variables: settings of its environment.
    """

    def __init__(
        self,
        platform: WorkerPlatform,
        target: ClickHouseTarget,
        directory: Path,
        arguments: Sequence[str] = (),
        *,
        module: str = "infra.cli.main",
        **variables: str,
    ) -> None:
        name = f"sink-{uuid.uuid4().hex[:6]}"
        self._ready_file = directory / f"{name}.json"
        self.log_path = directory / f"{name}.log"
        argv = [sys.executable, "-m", module, "sink", "--metrics-port", "0", *arguments]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*argv, "--ready-file", str(self._ready_file)],
                env=environment(platform, target, **variables),
                stdout=log,
                stderr=log,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of the sink's pages; 0 while it does not listen."""
        with suppress(FileNotFoundError, ValueError, URLError, ConnectionError, TimeoutError):
            port = json.loads(self._ready_file.read_text())["metrics_port"]
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()
        return 0, ""

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 while there is none."""
        assert self.process.poll() is None, self.log()
        lines = self.get("/metrics")[1].splitlines()
        prefix = f"venuecode_sink_{name}"
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == prefix)

    def wait_until_ready(self) -> None:
        """Wait until it has joined its group and ClickHouse answers."""

        def ready() -> bool:
            assert self.process.poll() is None, self.log()
            return self.get("/ready")[0] == 200

        wait_until(ready, 30, "the sink to be ready")

    def stop(self) -> int:
        """A clean stop: SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(40)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def log(self) -> str:
        """What it logged so far."""
        return self.log_path.read_text()


@contextmanager
def running_sink(
    platform: WorkerPlatform,
    target: ClickHouseTarget,
    directory: Path,
    arguments: Sequence[str] = (),
    **variables: str,
) -> Iterator[SinkProcess]:
    """A sink that is ready, and gone afterwards."""
    sink = SinkProcess(platform, target, directory, arguments, **variables)
    try:
        sink.wait_until_ready()
        yield sink
    finally:
        sink.kill()
