"""`venuecode`: the command line, one file per verb."""

from __future__ import annotations

import importlib
import os
import sys
from importlib import metadata
from typing import Annotated

import typer

# Tables of a few thousand rows are multiplied sooner by one thread; more would take the cores from everything else. It
# counts before numpy is loaded only.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_VERBS = (
    "demo",
    "platform",
    "topics",
    "migrate",
    "settle",
    "worker",
    "sink",
    "simulate",
    "import_",
    "status",
    "alerts",
    "dlq",
    "trajectory",
    "contacts",
    "chain",
    "sources",
    "windows",
    "rules",
    "bench",
    "soak",
    "top",
    "doctor",
    "config",
    "schema",
)
"""Modules of this package; each has `register(app)`, which adds its verb. Heavy imports stay inside the verbs."""


def build_app(verbs: tuple[str, ...] = _VERBS) -> typer.Typer:
    """The application with the given verbs."""
    app = typer.Typer(
        name="venuecode",
        help="Venue codes for a city: scans in, colours decided, alerts out, contacts found.",
        no_args_is_help=True,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)  # also without any option: else an application of one verb has no name for it
    for verb in verbs:
        importlib.import_module(f"infra.cli.{verb}").register(app)
    return app


def _options(
    version: Annotated[bool, typer.Option("--version", help="Show which version this is and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"venuecode {metadata.version('venuecode')}")
        raise typer.Exit


def main() -> None:
    """Run the verb of the command line; where one is named, no other one is imported."""
    module = next((verb for verb in _VERBS if sys.argv[1:2] == [verb.rstrip("_")]), None)
    build_app(_VERBS if module is None else (module,))()
    sys.exit(0)


if __name__ == "__main__":
    main()
