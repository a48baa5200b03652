"""`venuecode bench contacts`: the questions about contacts, on the product, DuckDB and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.bench.options import AsJson, JsonFile, WriteDocs, finish, measured
from infra.cli.common import err, fail, out
from schemas.errors import ConfigurationError

_ENGINES = "clickhouse,duckdb,postgresql"

Visits = Annotated[
    float, typer.Option(min=10_000, help="About how many visits the city has in 14 days, such as 100e6.")
]
Cases = Annotated[int, typer.Option(min=1, max=1000, help="People of each kind that a question is asked about.")]
Engines = Annotated[
    str, typer.Option(help="Databases, with commas between; clickhouse is the product with its own tables and views.")
]
WriteRate = Annotated[
    int, typer.Option(min=0, help="Visits a second that come in during the last round of questions; 0: no such round.")
]
Seconds = Annotated[
    float,
    typer.Option(
        min=1,
        help="A question is asked so long at most, each way; one whose first answer takes longer is asked that once.",
    ),
]
Keep = Annotated[
    Path | None, typer.Option(help="Keep the loaded databases in this folder, and use what is already in it.")
]


@measured
def contacts(
    visits: Visits = 1e6,
    cases: Cases = 40,
    engines: Engines = _ENGINES,
    write_rate: WriteRate = 20_000,
    seconds: Seconds = 60,
    keep: Keep = None,
    as_json: AsJson = False,
    write_docs: WriteDocs = False,
    json_file: JsonFile = None,
) -> None:
    """Who met whom, in a made-up city: times, disk and load time of three databases, answers compared.

    Ctrl-C ends it with what was measured until then.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from infra.bench.contacts.ground import ENGINES
    from infra.bench.contacts.run import run_contacts_bench
    from infra.bench.contacts.tables import page

    names = [name.strip() for name in engines.split(",") if name.strip()]
    unknown = [name for name in names if name not in ENGINES]
    if unknown or not names:
        raise ConfigurationError(f"--engines are some of {', '.join(ENGINES)}, not {', '.join(unknown) or 'none'}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=int(visits))

        def advance(text: str, more: int) -> None:
            if text != progress.tasks[0].description and more:
                progress.reset(task, description=text)
            progress.update(task, description=text, advance=more)

        found = run_contacts_bench(int(visits), cases, names, write_rate, seconds, keep, advance)
    whole = not (found["broken_off"] or found["failed"] or found["disagreements"])
    finish(found, as_json=as_json, write=write_docs and whole, file=json_file, page=page, table=_show)
    if write_docs and not whole:
        err.print("[bold yellow]The docs are left as they are:[/] not everything was measured, or answers differ.")
    if found["broken_off"]:
        raise KeyboardInterrupt
    if found["disagreements"]:
        fail("the databases gave different answers")
    if found["failed"]:
        fail(f"failed: {', '.join(found['failed'])}")


def _show(found: dict[str, object]) -> None:
    from rich.table import Table

    from infra.bench.contacts.tables import ENGINE_COLUMNS, answer_columns, answer_rows, engine_rows, notes

    for title, columns, rows in (
        ("questions: milliseconds, p50 / p95", answer_columns(found), answer_rows(found)),
        ("storage", ENGINE_COLUMNS, engine_rows(found)),
    ):
        table = Table(title=title, header_style="bold")
        for name in columns:
            table.add_column(name, justify="left" if name in {"question", "database"} else "right")
        for row in rows:
            table.add_row(*row)
        out.print(table)
    for line in notes(found):
        out.print(line, highlight=False, soft_wrap=True, markup=False)


def register(bench: typer.Typer) -> None:
    bench.command("contacts")(contacts)
