"""`venuecode bench`: how fast the parts are on this machine. One module a subcommand; adding the file adds it."""

from __future__ import annotations

import importlib
import pkgutil

import typer

_SHARED = "options"


def modules() -> list[str]:
    """Names of the modules that are subcommands."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name != _SHARED)


def register(app: typer.Typer) -> None:
    """Each module has `register(bench)`; heavy imports stay inside its command."""
    bench = typer.Typer(help="Measure the parts on this machine, on servers of their own.", no_args_is_help=True)
    for name in modules():
        importlib.import_module(f"{__name__}.{name}").register(bench)
    app.add_typer(bench, name="bench")
