"""`venuecode config show`: every setting, its value, and what it means; secrets hidden."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from pydantic import BaseModel, SecretStr
from rich.table import Table

from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json


def _leaves(section: BaseModel, prefix: str) -> Iterator[tuple[str, object, str]]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}__")
        else:
            shown = "********" if isinstance(value, SecretStr) else value
            yield f"VENUECODE_{prefix}{name}".upper(), shown, field.description or ""


@friendly_errors
def show(as_json: JsonFlag = False) -> None:
    """Print every setting with its environment variable, value and meaning."""
    rows = list(_leaves(load_settings(), ""))
    if as_json:
        print_json({name: value for name, value, _ in rows})
        return
    table = Table("variable", "value", "meaning", box=None, header_style="bold")
    for name, value, meaning in rows:
        table.add_row(name, str(value), meaning)
    out.print(table)


def register(app: typer.Typer) -> None:
    config = typer.Typer(help="The settings in force.", no_args_is_help=True)
    config.command("show")(show)
    app.add_typer(config, name="config")
