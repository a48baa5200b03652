"""`venuecode worker`, killed at a step: `python -m tests.faults.worker_that_dies --step after_produce ...`."""

from __future__ import annotations

from dataclasses import replace

from infra.cli.common import load_settings
from infra.cli.worker import worker_config
from streams.worker import run_worker
from tests.faults.dying import DieAt, arguments, cluster_overrides

if __name__ == "__main__":
    given = arguments()
    config = worker_config(
        load_settings(),
        ready_file=given.ready_file,
        metrics_port=given.metrics_port,
        instance_id=given.instance_id,
    )
    config = replace(config, cluster={**config.cluster, **cluster_overrides(given.kafka)})
    raise SystemExit(run_worker(config, DieAt(given.step, given.times, given.stop)))
