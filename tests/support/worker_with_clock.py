"""`venuecode worker` whose wall clock is as many seconds ahead as the file CLOCK_AHEAD names says, at any moment."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from infra.cli.common import load_settings
from infra.cli.worker import worker_config
from streams.worker import run_worker

if __name__ == "__main__":
    ahead = Path(os.environ["CLOCK_AHEAD"])
    ready_file = Path(sys.argv[sys.argv.index("--ready-file") + 1])
    config = worker_config(load_settings(), ready_file=ready_file, metrics_port=0)
    raise SystemExit(run_worker(config, now=lambda: time.time() + float(ahead.read_text())))
