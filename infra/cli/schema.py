"""`venuecode schema export|check|release`: the records as JSON Schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from infra.cli.common import JsonFlag, err, fail, friendly_errors, out, print_json


def _write(folder: Path, only_new: bool = False) -> list[str]:
    from schemas.export import current_schemas, to_text

    schemas = current_schemas()
    folder.mkdir(parents=True, exist_ok=not only_new)
    for stale in folder.glob("*.json"):
        if stale.name not in schemas:
            stale.unlink()
    for name, schema in schemas.items():
        (folder / name).write_text(to_text(schema), "utf-8")
    return sorted(schemas)


def _home() -> Path:
    import schemas

    return Path(str(schemas.__file__)).parent


def find_problems() -> dict[str, list[str]]:
    """What is wrong with the committed schemas: `drift`, and `incompatible` with any released version."""
    from schemas.evolution import incompatibilities
    from schemas.export import current_schemas, drift, exported_schemas, released_schemas

    current = current_schemas()
    incompatible: list[str] = []
    for version, released in sorted(released_schemas().items()):
        for name, old in sorted(released.items()):
            record = name.removesuffix(".json")
            found = incompatibilities(old, current[name]) if name in current else ["the record: removed"]
            incompatible += [f"{record} (since {version}) {problem}" for problem in found]
    return {"drift": drift(exported_schemas(), current), "incompatible": incompatible}


@friendly_errors
def export(
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where to write; by default the checkout's schemas/json.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the JSON Schema of every record, one file each."""
    folder = directory or _home() / "json"
    names = _write(folder)
    if as_json:
        print_json({"directory": str(folder), "files": names})
    else:
        out.print(f"{len(names)} schemas written to {folder}", soft_wrap=True, highlight=False, markup=False)


@friendly_errors
def check(as_json: JsonFlag = False) -> None:
    """Compare the records with the exported schemas, and with every released version; exit code 1 on a difference."""
    problems = find_problems()
    if as_json:
        print_json(problems)
    else:
        for kind, found in problems.items():
            for problem in found:
                err.print(f"[bold red]{kind}[/] {escape(problem)}", soft_wrap=True, highlight=False)
    if problems["drift"]:
        err.print("What to do: venuecode schema export, and commit the change.")
    if problems["incompatible"]:
        err.print("What to do: take the change back, or put the new record on a new topic (.v2).")
    if problems["drift"] or problems["incompatible"]:
        raise SystemExit(1)
    if not as_json:
        out.print("The exported schemas are those of the records, and compatible with every release.")


@friendly_errors
def release(
    version: Annotated[str, typer.Argument(help="Of this release, such as 0.2.0; its schemas never change again.")],
) -> None:
    """Keep today's schemas as what this release promises; later changes are measured against them."""
    if re.fullmatch(r"\d+\.\d+\.\d+", version) is None:
        fail(f"{version} is no version; three numbers are needed, such as 0.2.0", 2)
    folder = _home() / "released" / version
    if folder.exists():
        fail(f"{version} is released already ({folder}); a released schema never changes")
    if find_problems()["incompatible"]:
        fail("the records break what an earlier release promised; see: venuecode schema check")
    _write(folder, only_new=True)
    out.print(f"Released as {version}: {folder}", soft_wrap=True, highlight=False, markup=False)


def register(app: typer.Typer) -> None:
    schema = typer.Typer(help="The records as JSON Schema.", no_args_is_help=True)
    schema.command("export")(export)
    schema.command("check")(check)
    schema.command("release")(release)
    app.add_typer(schema, name="schema")
