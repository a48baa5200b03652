"""`venuecode worker`: one stream worker, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from infra.cli.common import friendly_errors, load_settings
from infra.cli.service_options import InstanceId, MetricsPort, ReadyFile
from infra.settings import Settings

if TYPE_CHECKING:
    from streams.config import WorkerConfig

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


def worker_config(
    settings: Settings,
    *,
    ready_file: Path | None = None,
    metrics_port: int | None = None,
    instance_id: str | None = None,
) -> WorkerConfig:
    """The worker's configuration from the settings."""
    from streams.config import WorkerConfig

    chosen = settings.worker
    return WorkerConfig(
        cluster=settings.kafka.librdkafka(),
        topics=settings.kafka.topics(),
        group=chosen.group,
        instance_id=instance_id,
        metrics_port=chosen.metrics_port if metrics_port is None else metrics_port,
        ready_file=ready_file,
        batch_rows=chosen.batch_rows,
        stall_s=chosen.stall_s,
        alerts_remembered=chosen.alerts_remembered,
        clock_tolerance_s=chosen.clock_tolerance_s,
        dedupe_ms=chosen.dedupe_minutes * _MINUTE_MS,
        review_ms=chosen.review_minutes * _MINUTE_MS,
        status_wait_s=chosen.status_wait_s,
        snapshot_dir=chosen.snapshot_dir,
        snapshot_every_s=chosen.snapshot_every_s,
        alert_id_key=chosen.alert_id_key.get_secret_value().encode(),
        retention_ms=None if settings.retention.analysis else settings.retention.days * _DAY_MS,
    )


@friendly_errors
def worker(ready_file: ReadyFile = None, metrics_port: MetricsPort = None, instance_id: InstanceId = None) -> None:
    """Decide scans: visits, alerts and dead letters out, until Ctrl-C or SIGTERM; several workers share the work."""
    settings = load_settings()
    from streams.worker import run_worker

    raise SystemExit(
        run_worker(worker_config(settings, ready_file=ready_file, metrics_port=metrics_port, instance_id=instance_id))
    )


def register(app: typer.Typer) -> None:
    app.command("worker")(worker)
