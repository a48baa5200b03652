"""`venuecode rules list|add`: the definitions of a contact, in versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.clickhouse import connected
from infra.cli.common import JsonFlag, fail, friendly_errors, load_settings, out, print_json
from infra.cli.forms import as_dicts

AllFlag = Annotated[bool, typer.Option("--all", help="Every version, not only those in force.")]
RulesFile = Annotated[
    Path, typer.Argument(help="CSV with the columns of the published rules, UTF-8.", exists=True, dir_okay=False)
]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Check the file and change nothing.")]


@friendly_errors
def list_rules(every: AllFlag = False, as_json: JsonFlag = False) -> None:
    """Show the rules in force: the newest an operator added, else the newest that was shipped."""
    settings = load_settings()
    from sinks.clickhouse.rules import stored_rules

    with connected(settings) as client:
        found = stored_rules(client, every)
    if as_json:
        print_json({"rules": as_dicts(found)})
        return
    table = Table("rule", "version", "by", "place", "minutes", "summed over", "days", "name", box=None)
    for rule in found:
        instant = rule.overlap == "instant"
        table.add_row(
            rule.rule_id,
            str(rule.version),
            rule.origin,
            rule.place.replace("_", " "),
            "entry inside" if instant else f"{'>' if rule.strict else '>='} {rule.min_minutes}",
            "" if instant else rule.sum_over.replace("_", " "),
            "" if rule.lookback_days is None else str(rule.lookback_days),
            rule.name_en,
        )
    out.print(table)


@friendly_errors
def add(file: RulesFile, dry_run: DryRunFlag = False, as_json: JsonFlag = False) -> None:
    """Add the rules of a file as an operator's; a new version of each that differs from the operator's newest."""
    settings = load_settings()
    from sinks.clickhouse.rules import read_contact_rules, store_rules

    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read as UTF-8 text: {error}")
    rules = read_contact_rules(lines)
    if not rules:
        fail(f"{file} holds no rule")
    added = []
    if not dry_run:
        with connected(settings) as client:
            added = store_rules(client, rules, "operator")
    if as_json:
        print_json({"rules": len(rules), "added": [{"rule_id": rule_id, "version": v} for rule_id, v in added]})
        return
    for rule_id, version in added:
        out.print(f"{rule_id}: version {version} is in force.", highlight=False)
    if dry_run:
        out.print(f"{len(rules)} rules are as they should be; nothing was changed.", highlight=False)
    elif not added:
        out.print(f"{len(rules)} rules, all in force already.", highlight=False)


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The definitions of a contact, in versions.", no_args_is_help=True)
    group.command("list")(list_rules)
    group.command("add")(add)
    app.add_typer(group, name="rules")
