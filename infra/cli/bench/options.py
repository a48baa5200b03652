"""What every benchmark shares: its options, how it ends, and how its document is shown."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from infra.cli.common import friendly_errors, out, print_json

if TYPE_CHECKING:
    from infra.bench.report import Document

P = ParamSpec("P")

Events = Annotated[int, typer.Option(min=10_000, help="Records in the full topic that is read from its beginning.")]
Runs = Annotated[int, typer.Option(min=1, help="Alternating repetitions of every variant; the medians are quoted.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
WriteDocs = Annotated[
    bool, typer.Option("--write-docs", help="Write the table and the JSON into docs/ as the latest figures.")
]
JsonFile = Annotated[Path | None, typer.Option("--out", help="Write the JSON into this file as well.")]


def measured(function: Callable[P, None]) -> Callable[P, None]:
    """A benchmark's command: errors become messages, and SIGTERM ends it as Ctrl-C does, with nothing left running."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        function(*args, **kwargs)

    return friendly_errors(wrapper)


def finish(
    found: Document,
    *,
    as_json: bool,
    write: bool,
    file: Path | None,
    page: Callable[[Document], str] | None = None,
    table: Callable[[Document], None] | None = None,
) -> None:
    """Keep a benchmark's document where it was asked for, and print it.

    Args:
        found: the document.
        as_json: print it as JSON.
        write: put it into the docs.
        file: gets the JSON as well.
        page: what the docs show of it; a table of its variants unless given.
        table: shows it on the terminal; `show` unless given.
    """
    from infra.bench.report import write_docs

    if file is not None:
        file.write_text(_dumped(found))
    if write:
        write_docs(found, shown=None if page is None else page(found))
    if as_json:
        print_json(found)
    else:
        (table or show)(found)


def show(found: Document) -> None:
    """The document as a table on the terminal."""
    from rich.markup import escape
    from rich.table import Table

    from infra.bench.figures import FIGURES, text

    columns = [name for name in FIGURES if any(name in each["medians"] for each in found["variants"].values())]
    table = Table(found["bench"], *(FIGURES[name] for name in columns), "runs", header_style="bold")
    for name, each in found["variants"].items():
        rates = [text(run[columns[0]]) for run in each["runs"] if columns and columns[0] in run]
        table.add_row(name, *(text(each["medians"].get(column)) for column in columns), " / ".join(rates))
    out.print(table)
    for name, ratio in found["ratios"].items():
        if ratio is not None:
            out.print(f"{ratio:g} x {name}", highlight=False)
    for name, reason in found.get("not_run", {}).items():
        out.print(f"[bold red]not run:[/] {escape(name)}: {escape(reason)}", highlight=False, soft_wrap=True)
    host = found["machine"]
    out.print(
        f"[dim]medians; {host['cores']} cores ({host['cpu']}) shared with the servers; Python "
        f"{found['versions']['python']}; commit {found['versions']['commit']}[/]",
        highlight=False,
    )


def _dumped(found: Document) -> str:
    import json

    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt
