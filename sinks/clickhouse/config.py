"""Everything the sink needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from schemas.kafka import ClientConfig
from schemas.topics import Topics
from sinks.clickhouse.target import ClickHouseTarget


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """The settings of one sink process.

    Attributes:
        cluster: the Kafka brokers and how to talk to them.
        topics: what to read, and where dead letters go.
        clickhouse: where to write.
        group: consumer group; several sinks of one group share the partitions.
        instance_id: static group membership: a sink restarted soon under the same id gets its partitions back at once.
        session_seconds: after it the brokers take a sink that fell silent for dead.
        batch_rows, batch_bytes, batch_seconds: a batch is written when it has reached one of them; where rows come
            fast, after up to eight times as many seconds (`sinks.clickhouse.pace.Pace`). Memory holds two batches at
            most: one filling, one being written.
        metrics_port: of `/metrics`, `/ping` and `/ready` on loopback; 0: any free one.
        ready_file: gets `{"pid", "metrics_port"}` as JSON once the port is open.
        retry_seconds: longest pause between two attempts while ClickHouse is away.
        max_bad_share, bad_window: see `schemas.brake.DeadLetterBrake`; for each topic by itself.
        stall_seconds: with work at hand, ClickHouse answering and no commit for so long, the sink gives up; longer than
            it waits for one answer (120 s).
        stop_seconds: how long a stop waits for what is on its way to ClickHouse.
    """

    cluster: ClientConfig
    topics: Topics
    clickhouse: ClickHouseTarget
    group: str = "venuecode-sink"
    instance_id: str | None = None
    session_seconds: float = 6.0
    batch_rows: int = 400_000
    batch_bytes: int = 320 * 1024 * 1024
    batch_seconds: float = 0.5
    metrics_port: int = 0
    ready_file: Path | None = None
    retry_seconds: float = 5.0
    max_bad_share: float = 0.5
    bad_window: int = 10_000
    stall_seconds: float = 180.0
    stop_seconds: float = 20.0
