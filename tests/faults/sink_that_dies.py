"""`venuecode sink`, killed at a step: `python -m tests.faults.sink_that_dies --step after_insert ...`."""

from __future__ import annotations

from infra.cli.common import load_settings
from infra.cli.sink import sink_config
from sinks.clickhouse.sink import run_sink
from tests.faults.dying import DieAt, arguments

if __name__ == "__main__":
    given = arguments()
    config = sink_config(
        load_settings(),
        ready_file=given.ready_file,
        metrics_port=given.metrics_port,
        instance_id=given.instance_id,
    )
    raise SystemExit(run_sink(config, DieAt(given.step, given.times, given.stop)))
