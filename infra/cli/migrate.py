"""`venuecode migrate status|up`: bring ClickHouse's tables and views to the newest schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from infra.cli.clickhouse import local_time
from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json
from infra.cli.forms import as_dicts
from infra.settings import Settings
from infra.targets import clickhouse_target

if TYPE_CHECKING:
    from sinks.clickhouse.migrate import Migrator

AnalysisFlag = Annotated[
    bool, typer.Option("--analysis", help="Lift the retention: a platform for historical files. Default: the setting.")
]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print the statements that would be run.")]


def _migrator(settings: Settings, analysis: bool) -> Migrator:
    from sinks.clickhouse.migrate import Migrator

    lifted = analysis or settings.retention.analysis
    days = None if lifted else settings.retention.days
    return Migrator(clickhouse_target(settings), days, timezone=settings.timezone)


@friendly_errors
def status(as_json: JsonFlag = False) -> None:
    """Show which migrations the database has; exit code 1 while any is pending."""
    settings = load_settings()
    found = _migrator(settings, analysis=False).status()
    if as_json:
        print_json({"database": settings.clickhouse.database, "migrations": as_dicts(found)})
    else:
        table = Table("number", "name", "state", "applied", box=None, header_style="bold")
        for entry in found:
            when = "" if entry.applied_at is None else local_time(entry.applied_at, settings)
            table.add_row(f"{entry.number:04d}", entry.name, entry.state, when)
        out.print(table)
    if any(entry.state == "pending" for entry in found):
        raise SystemExit(1)


@friendly_errors
def up(dry_run: DryRunFlag = False, analysis: AnalysisFlag = False, as_json: JsonFlag = False) -> None:
    """Apply what is pending, fit the retention, load the contact rules; harmless to repeat."""
    settings = load_settings()
    outcome = _migrator(settings, analysis).up(dry_run=dry_run)
    if as_json:
        print_json({"database": settings.clickhouse.database, "dry_run": dry_run, **as_dicts([outcome])[0]})
        return
    if dry_run:
        for statement in outcome.statements:
            out.print(f"{statement};\n", highlight=False, markup=False, soft_wrap=True)
    verb = "would be applied" if dry_run else "applied"
    out.print(f"{len(outcome.migrations)} migrations {verb} to database {settings.clickhouse.database}.")
    if outcome.retention:
        days = "lifted" if analysis or settings.retention.analysis else f"now {settings.retention.days} days"
        out.print(f"Retention {days}: {', '.join(outcome.retention)}.")
    if outcome.reference_rows:
        out.print(f"{outcome.reference_rows} rows of reference data loaded.")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="ClickHouse's tables and views.", no_args_is_help=True)
    group.command("status")(status)
    group.command("up")(up)
    app.add_typer(group, name="migrate")
