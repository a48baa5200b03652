"""`venuecode soak`: hours at a steady load, and whether anything grows."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.common import JsonFlag, friendly_errors, out, print_json

Hours = Annotated[float, typer.Option(min=0.02, help="How long scans are sent.")]
Rate = Annotated[float, typer.Option(min=10, help="Scans a second.")]
People = Annotated[int, typer.Option(min=1000, help="Residents, each with a status.")]
KeptMinutes = Annotated[
    float, typer.Option(min=0, help="Until scans and visits expire; 0: as late as on a platform, so more is stored.")
]
JsonFile = Annotated[Path | None, typer.Option("--out", help="Write the JSON into this file as well.")]


@friendly_errors
def soak(
    hours: Hours = 2.0,
    rate: Rate = 5000,
    people: People = 1_000_000,
    kept_minutes: KeptMinutes = 10.0,
    as_json: JsonFlag = False,
    file: JsonFile = None,
) -> None:
    """Run the whole chain for hours on servers of its own; exit code 1 when memory, handles, threads or lag grow."""
    signal.signal(signal.SIGTERM, _interrupt)
    from infra.bench.soak import run_soak

    found = run_soak(hours=hours, rate=rate, people=people, kept_minutes=kept_minutes)
    if file is not None:
        file.write_text(json.dumps(found, indent=1) + "\n")
    print_json(found) if as_json else _show(found)
    if not found["steady"]:
        raise SystemExit(1)


def _show(found: dict[str, Any]) -> None:
    table = Table("process", "figure", "mean", "growth an hour (95 % interval)", "grows", header_style="bold")
    for name, figures in found["processes"].items():
        for figure, each in figures.items():
            low, high = each["an_hour_95"]
            growth = f"{each['an_hour']:+g} ({low:+g} to {high:+g})"
            table.add_row(name, figure, f"{each['mean']:g}", growth, "[bold red]yes[/]" if each["grows"] else "no")
    out.print(table)
    verdict = "steady" if found["steady"] else "[bold red]something grows[/]"
    out.print(
        f"{verdict}: {found['sent']:,} scans in {found['hours']:g} h, all stored once; lag {found['lag_s']:g} s",
        highlight=False,
    )


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def register(app: typer.Typer) -> None:
    app.command("soak")(soak)
