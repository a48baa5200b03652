"""What a worker is told; made from the settings in `infra`, plain here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from schemas.kafka import ClientConfig
from schemas.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Everything a worker is told. Times are milliseconds unless the name says otherwise.

    Attributes:
        cluster: where the brokers are and how to talk to them, as librdkafka's settings.
        topics: the names of the topics.
        group: consumer group of the scans; `<group>-statuses` and `<group>-venues` remember what was reported.
        instance_id: static group membership: restarted under the same id within the session timeout, the worker gets
            its partitions back without a rebalance (and leaves no group when it stops). Null: an ordinary member.
        metrics_port: of `/metrics`, `/ping` and `/ready` on loopback; 0: any free port.
        ready_file: gets `{"pid", "metrics_port"}` once that port listens.
        batch_rows: most scans in one batch.
        batches_under_way: batches whose outputs are not acknowledged yet, at most.
        dedupe_ms, review_ms, late_ms, alert_id_key: see `streams.decide.Policy`.
        alerts_remembered: see `streams.alert_memory.AlertMemory`.
        max_future_ms, retention_ms: see `streams.intake.Limits`.
        max_bad_share, bad_window: see `schemas.brake.DeadLetterBrake`.
        session_timeout_s: after it the brokers take a worker that fell silent for dead.
        status_wait_s: a partition whose statuses are not read to their end by then ends the worker.
        snapshot_dir: of the status store's snapshots; null: none are taken or used.
        snapshot_every_s: a partition whose statuses have changed is saved again after so long.
        stall_s: with input moving and the committed offset standing still for so long, the worker gives up.
        clock_tolerance_s: a larger difference between its clock and the brokers' is worth a warning.
    """

    cluster: ClientConfig
    topics: Topics
    group: str
    instance_id: str | None = None
    metrics_port: int = 0
    ready_file: Path | None = None
    batch_rows: int = 8000
    batches_under_way: int = 8
    dedupe_ms: int = 2 * 3_600_000
    review_ms: int = 600_000
    late_ms: int = 48 * 3_600_000
    alerts_remembered: int = 200_000
    alert_id_key: bytes
    max_future_ms: int = 300_000
    retention_ms: int | None
    max_bad_share: float = 0.5
    bad_window: int = 10_000
    session_timeout_s: float = 6.0
    status_wait_s: float = 900.0
    snapshot_dir: Path | None = None
    snapshot_every_s: float = 600.0
    stall_s: float = 60.0
    clock_tolerance_s: float = 60.0
