"""`venuecode import scans|venues|windows|statuses FILE`: somebody else's file onto the topics."""

from __future__ import annotations

from typing import Any

import typer

from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out, print_json
from infra.cli.import_options import command_for

_HELP = {
    "scans": "Import scans; they take the same way as live ones.",
    "venues": "Import venues into the registry.",
    "windows": "Import exposure windows: spans of time at venues.",
    "statuses": "Import health statuses.",
}


@friendly_errors
def run_import(kind: str, values: dict[str, Any], as_json: bool) -> None:
    """Import one file and say what became of it.

    Args:
        kind: of file.
        values: the options by their names.
        as_json: print the result as JSON.
    """
    from infra.importing import import_file

    settings = load_settings()
    result = import_file(kind, values, settings, quiet=as_json)
    if as_json:
        print_json(result)
        return
    for line in result["first"]:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if result["already_imported"]:
        out.print("This file was imported before, whole; nothing was sent. To send it once more, add --again.")
    elif result["resumed_from"] is not None:
        out.print(f"An earlier run was interrupted; {result['already_there']:,} records were already on the topic.")
    verb = "would be sent" if values["dry_run"] else "sent"
    count = result["rows"] - sum(result["rejected"].values()) if values["dry_run"] else result["sent"]
    out.print(f"{result['rows']:,} rows: {count:,} {verb}, {sum(result['rejected'].values()):,} rejected.")
    if result["shift_s"]:
        out.print(f"All times were moved by {result['shift_s']:,.3f} s; another file of theirs: --shift-by the same.")
    from producers.importers.row import meaning_of

    for reason, number in sorted(result["rejected"].items(), key=lambda entry: -entry[1]):
        err.print(f"  {number:>8,}  {reason}: {meaning_of(reason)}", highlight=False)
    if result["rejects_file"]:
        err.print(f"The rejected rows are in {result['rejects_file']}", highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    group = typer.Typer(help="Put a file's rows on the topics: every row is sent or counted.", no_args_is_help=True)
    for kind, text in _HELP.items():

        def command(_kind: str = kind, *, as_json: bool, **values: Any) -> None:
            run_import(_kind, values, as_json)

        group.command(kind, help=text)(command_for(kind, command, JsonFlag))
    app.add_typer(group, name="import")
