"""`venuecode platform up|down|status`: Kafka and ClickHouse on this machine, in the background."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out, print_json

if TYPE_CHECKING:
    from infra.platform.health import Report

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the data is kept. Default: VENUECODE_DATA_DIR, or the user's.")
]


@friendly_errors
def up(
    data_dir: DataDir = None,
    brokers: Annotated[int, typer.Option("--brokers", help="Kafka brokers: 1, or 3 for fault tests.")] = 1,
    kafka_port: Annotated[
        int, typer.Option("--kafka-port", min=0, max=65533, help="Of the first broker; 0: any free ports.")
    ] = 9092,
    clickhouse_port: Annotated[
        int | None,
        typer.Option("--clickhouse-port", min=0, max=65535, help="Default: VENUECODE_CLICKHOUSE__PORT; 0: any free."),
    ] = None,
    analysis: Annotated[
        bool, typer.Option("--analysis", help="For historical files: lift the retention, nothing is deleted by age.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start Kafka and ClickHouse in the background, create topics and tables; returns when both answer."""
    from infra.platform import control
    from infra.platform.health import report
    from infra.platform.prepare import prepare
    from infra.platform.state import PlatformFiles

    settings = load_settings()
    options = control.PlatformOptions(
        data_dir=(data_dir or settings.data_dir).absolute(),
        brokers=brokers,
        kafka_port=kafka_port,
        clickhouse_port=settings.clickhouse.port if clickhouse_port is None else clickhouse_port,
        analysis=analysis or settings.retention.analysis,
    )
    with err.status("Starting Kafka and ClickHouse") as progress:
        outcome = control.up(options)
        progress.update("Creating topics and tables")
        prepare(settings, outcome.state)
    now = report(PlatformFiles(options.data_dir))
    if as_json:
        print_json({**now.as_json(), "already_running": outcome.already})
        return
    out.print("The platform is already running." if outcome.already else "The platform is up.")
    _show(now)


@friendly_errors
def down(
    data_dir: DataDir = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete everything it stored. Asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --delete-data: do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Stop the platform cleanly."""
    from infra.platform import control

    place = (data_dir or load_settings().data_dir).absolute()
    if delete_data and not yes:
        typer.confirm(f"Delete the topics and tables in {place}, for good?", abort=True, err=True)
    with err.status("Stopping Kafka and ClickHouse"):
        ran = control.down(place)
        if delete_data:
            control.delete_data(place, load_settings().worker.snapshot_dir)
    if as_json:
        print_json({"data_dir": str(place), "was_running": ran, "data_deleted": delete_data})
        return
    out.print("The platform is stopped." if ran else "The platform was not running.")
    if delete_data:
        out.print(f"Its data in {place} is deleted.", highlight=False, soft_wrap=True, markup=False)


@friendly_errors
def status(data_dir: DataDir = None, as_json: JsonFlag = False) -> None:
    """Say what runs where; exit code 1 when something is down though it should run."""
    from infra.platform.health import report
    from infra.platform.state import PlatformFiles

    now = report(PlatformFiles((data_dir or load_settings().data_dir).absolute()))
    if as_json:
        print_json(now.as_json())
    else:
        out.print(f"The platform is {now.condition}: {now.meaning}.", highlight=False, soft_wrap=True)
        _show(now)
    if not now.as_it_should_be:
        raise SystemExit(1)


def _show(now: Report) -> None:
    from infra.platform.health import variables

    state = now.state
    facts: list[tuple[str, Any]] = [("data", now.files.data_dir)]
    if state is not None:
        kept = f"{state.retention_days} days" if not state.analysis else "LIFTED: an analysis platform, nothing expires"
        facts += [("retention", kept), ("since", state.since), ("log", now.files.log)]
    elif now.files.analysis_mark.exists():
        facts.append(("retention", "LIFTED: an analysis platform's data, nothing expires"))
    for name, value in facts:
        out.print(f"{name:<12}{value}", highlight=False, soft_wrap=True, markup=False)
    for each in now.components:
        word = "[green]up  [/]" if each.healthy else "[bold red]down[/]"
        component = each.component
        where = escape(f"{component.address:<17} process {component.process.pid:<8} log {component.log}")
        out.print(f"{component.name:<12}{word}  {where}", highlight=False, soft_wrap=True)
    for again in state.restarts if state is not None else ():
        times = "once" if again.count == 1 else f"{again.count} times"
        why = f"{again.name} was started again {times}, last at {again.at}: {again.reason}"
        out.print(why, highlight=False, soft_wrap=True, markup=False)
    if state is not None and state.error:
        out.print(f"\n{state.error}", highlight=False, soft_wrap=True, markup=False)
    if state is not None and now.running and (wanted := variables(state)):
        out.print("\nNot the usual addresses or modes. For the other verbs:")
        for name, value in wanted.items():
            out.print(f"export {name}={value}", highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    platform = typer.Typer(help="Kafka and ClickHouse on this machine, in the background.", no_args_is_help=True)
    for verb in (up, down, status):
        platform.command(verb.__name__)(verb)
    app.add_typer(platform, name="platform")
