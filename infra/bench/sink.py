"""How fast one sink process stores visits in both orders, fed from a full topic on an embedded platform of its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from infra.bench.figures import Run
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.usage import cpu_seconds, peak_rss_mb
from infra.bench.visits import fill_visits
from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.process import ChildProcess
from infra.topics import apply_topics
from schemas.errors import FatalError
from schemas.kafka import ClientConfig
from schemas.topics import Topics, topic_plan
from sinks.clickhouse.migrate import Migrator
from sinks.clickhouse.queries import visits_stored
from sinks.clickhouse.target import ClickHouseTarget

_PARTITIONS = 8
_DEADLINE_S = 300.0
_POLL_S = 0.2


def run_sink_bench(rows: int = 1_000_000, runs: int = 3) -> Document:
    """Measure the sink.

    Each run has a database and a consumer group of its own and reads the same topic from its beginning. The clock runs
    from the sink's assignment until ClickHouse has acknowledged the last row; then the views must show every row once.

    Args:
        rows: visits on the topic.
        runs: repetitions.

    Returns:
        The document (`infra.bench.report.document`) with `rows_per_s`, `cpu_s_per_million` (CPU seconds of the sink's
        process, its start not counted) and `peak_rss_mb` of it; runs have `seconds`, `clickhouse_cpu_s_per_million` and
        `parts` (active parts of both orders at the end) too.

    Raises:
        FatalError: the sink ended, was too slow, or the views show another number of rows than were sent.
    """
    with (
        tempfile.TemporaryDirectory(prefix="venuecode-bench-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", port=0) as kafka,
        EmbeddedClickHouse(Path(folder) / "clickhouse", port=0) as clickhouse,
    ):
        cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
        topics = Topics()
        apply_topics(cluster, topic_plan(topics, partitions=_PARTITIONS, replication_factor=1, retention_days=14))
        tell(f"filling the topic with {rows:,} visits")
        fill_visits(cluster, topics, rows, _PARTITIONS)
        found = alternate(
            {"both orders": lambda number: _run(number, rows, kafka, clickhouse, Path(folder))},
            runs,
        )
    return document("sink", found, {"rows": rows})


def _run(number: int, rows: int, kafka: EmbeddedKafka, clickhouse: EmbeddedClickHouse, folder: Path) -> Run:
    target = ClickHouseTarget(host=clickhouse.host, port=clickhouse.port, database=f"bench_{number}")
    Migrator(target, 14).up()
    ready_file = folder / f"sink-{number}.ready"
    variables = {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "VENUECODE_CLICKHOUSE__HOST": clickhouse.host,
        "VENUECODE_CLICKHOUSE__PORT": str(clickhouse.port),
        "VENUECODE_CLICKHOUSE__DATABASE": target.database,
        "VENUECODE_SINK__GROUP": f"bench-{number}",
        "VENUECODE_SINK__METRICS_PORT": "0",
    }
    argv = [sys.executable, "-m", "infra.cli.main", "sink", "--ready-file", str(ready_file)]
    sink = ChildProcess("sink", argv, folder / f"sink-{number}.log", env={**os.environ, **variables})
    sink.start()
    try:
        port = _await_port(sink, ready_file)
        before = _await(sink, port, "venuecode_sink_partitions", 1)
        started, server_before = time.perf_counter(), cpu_seconds(clickhouse.pid)
        found = _await(sink, port, 'venuecode_sink_rows_total{kind="visits"}', rows)
        seconds = time.perf_counter() - started
        cpu = found["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
        peak = peak_rss_mb(sink.pid)
        server_cpu = cpu_seconds(clickhouse.pid) - server_before
    finally:
        sink.stop(timeout=30)
    client = target.client()
    try:
        stored = visits_stored(client)
        if stored != rows:
            raise FatalError(f"{rows} visits were sent and the views show {stored}")
        parts = client.query(
            "SELECT count() FROM system.parts WHERE active AND database = {database:String} AND table LIKE 'visits%'",
            parameters={"database": target.database},
        ).result_rows[0][0]
    finally:
        client.close()
    return {
        "rows_per_s": round(rows / seconds),
        "cpu_s_per_million": round(cpu / rows * 1e6, 2),
        "peak_rss_mb": round(peak),
        "seconds": round(seconds, 2),
        "clickhouse_cpu_s_per_million": round(server_cpu / rows * 1e6, 2),
        "parts": parts,
    }


def _await_port(sink: ChildProcess, ready_file: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sink.poll() is None:
        if ready_file.exists():
            return int(json.loads(ready_file.read_text())["metrics_port"])
        time.sleep(_POLL_S)
    raise FatalError(f"the sink did not start; its log is {sink.log_path}:\n{sink.log_path.read_text()[-2000:]}")


def _await(sink: ChildProcess, port: int, metric: str, least: float) -> dict[str, float]:
    """All metrics, once one of them has reached a value."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and sink.poll() is None:
        found = _metrics(port)
        if found.get(metric, 0) >= least:
            return found
        time.sleep(_POLL_S)
    raise FatalError(f"the sink's {metric} did not reach {least:g}:\n{sink.log_path.read_text()[-2000:]}")


def _metrics(port: int) -> dict[str, float]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except (URLError, OSError):
        return {}
    pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}
