"""The options that every long-running service has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ReadyFile = Annotated[
    Path | None,
    typer.Option("--ready-file", help="Write the process id and the metrics port here, as JSON, once it listens."),
]
MetricsPort = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65535, help="Instead of the setting; 0: any free port on loopback."),
]
InstanceId = Annotated[
    str | None,
    typer.Option(
        "--instance-id",
        help="Static group membership: restarted soon under the same id, it gets its partitions back at once.",
    ),
]
