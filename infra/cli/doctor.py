"""`venuecode doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json

_SHOWN = {"ok": "[green]✓ ok[/]", "warn": "[yellow]! warn[/]", "fail": "[bold red]✗ fail[/]"}


@friendly_errors
def doctor(
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that one server may take.")] = 5,
    as_json: JsonFlag = False,
) -> None:
    """Check versions, ports, disk, brokers, topics, migrations and lag; exit code 1 when something is wrong."""
    from rich.text import Text

    from infra.doctor import Surroundings, examine

    findings = list(examine(Surroundings(load_settings(), timeout)))
    well = all(finding.state != "fail" for finding in findings)
    if as_json:
        print_json({"ok": well, "findings": [asdict(finding) for finding in findings]})
    else:
        table = Table("", "what", "how it is", "what to do", box=None, header_style="bold")
        for finding in findings:
            table.add_row(_SHOWN[finding.state], finding.subject, Text(finding.meaning), Text(finding.remedy))
        out.print(table)
    if not well:
        raise SystemExit(1)


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
