"""`venuecode demo`: a living city on this machine."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from infra.cli.common import JsonFlag, friendly_errors, out


@friendly_errors
def demo(
    city: Annotated[
        Literal["taiyuan", "nz"],
        typer.Option(help="taiyuan: a simulated city, live; nz: New Zealand's real venues and exposure windows."),
    ] = "taiyuan",
    seconds: Annotated[
        float | None,
        typer.Option(min=20, help="Send scans for so long, then end. Default: until Ctrl-C (with --json: 60)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 7,
    residents: Annotated[int, typer.Option(min=1000, help="People in the city.")] = 100_000,
    speed: Annotated[float, typer.Option(min=1, help="Seconds of city time in a second.")] = 60.0,
    bad_share: Annotated[float, typer.Option(min=0, max=0.5, help="Share of broken records among the scans.")] = 0.0005,
    as_json: JsonFlag = False,
) -> None:
    """Run Kafka, ClickHouse, the worker, the sink and a city; show alerts and contacts as they come.

    Exit code 1 when anything sent is not stored, or a planted contact is missing, or somebody is found who never met
    the case.
    """
    if city == "nz":
        from infra.demo.nz_command import run_nz_demo

        raise SystemExit(run_nz_demo(seed=seed, as_json=as_json, keep_running=not as_json and out.is_terminal))
    from infra.demo.command import run_demo
    from infra.demo.runner import DemoOptions

    if as_json and seconds is None:
        seconds = 60
    options = DemoOptions(seconds=seconds, seed=seed, residents=residents, speed=speed, bad_share=bad_share)
    raise SystemExit(run_demo(options, as_json=as_json))


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)
