"""How fast one sink process stores visits in both orders, fed from a full topic on an embedded platform of its own."""

from __future__ import annotations

import time

from infra.bench.figures import Run
from infra.bench.report import Document, document
from infra.bench.rounds import alternate, tell
from infra.bench.sink_place import ORDERS, PARTITIONS, SinkPlace, active_parts, sink_place, stored
from infra.bench.usage import cpu_seconds, peak_rss_mb
from infra.bench.visits import fill_visits
from schemas.errors import FatalError


def run_sink_bench(rows: int = 3_000_000, runs: int = 3) -> Document:
    """Measure the sink.

    Each run has a database and a consumer group of its own and reads the same topic from its beginning. The clock runs
    from the sink's assignment until ClickHouse has acknowledged the last row; then both views must show every row once.

    Args:
        rows: visits on the topic.
        runs: repetitions.

    Returns:
        The document (`infra.bench.report.document`) with `rows_per_s`, `cpu_s_per_million` (CPU seconds of the sink's
        process, its start not counted) and `peak_rss_mb` of it; runs have `seconds`, `clickhouse_cpu_s_per_million` and
        `parts_max` (most active parts seen of each order) too.

    Raises:
        FatalError: the sink ended, was too slow, or the views show another number of rows than were sent.
    """
    with sink_place() as place:
        tell(f"filling the topic with {rows:,} visits")
        fill_visits(place.cluster, place.topics, rows, PARTITIONS)
        found = alternate({"both orders": lambda number: _run(number, rows, place)}, runs)
    return document("sink", found, {"rows": rows})


def _run(number: int, rows: int, place: SinkPlace) -> Run:
    target = place.database(f"bench_{number}")
    sink = place.sink(target)
    client = target.client()
    server, most = place.clickhouse.pid, dict.fromkeys(ORDERS, 0)
    sink.start()
    try:
        before = sink.wait_for("venuecode_sink_partitions", 1)
        started, server_before = time.perf_counter(), cpu_seconds(server)
        share = 0.0
        while share < 1:
            share = min(1.0, share + 0.1)
            found = sink.wait_for('venuecode_sink_rows_total{kind="visits"}', rows * share)
            seconds = time.perf_counter() - started
            most = {order: max(most[order], now) for order, now in active_parts(client, target.database).items()}
        server_cpu = cpu_seconds(server) - server_before
        peak = peak_rss_mb(sink.process.pid)
        shown = stored(client)
        if set(shown.values()) != {(rows, rows)}:
            raise FatalError(f"{rows} visits were sent and the views show (rows, different ones) {shown}")
    finally:
        sink.process.stop(timeout=30)
        client.close()
    cpu = found["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
    return {
        "rows_per_s": round(rows / seconds),
        "cpu_s_per_million": round(cpu / rows * 1e6, 2),
        "peak_rss_mb": round(peak),
        "seconds": round(seconds, 2),
        "clickhouse_cpu_s_per_million": round(server_cpu / rows * 1e6, 2),
        "parts_max": most,
    }
