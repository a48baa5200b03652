"""`venuecode settle`: work out once where stays end, so that questions about contacts take milliseconds."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.clickhouse import instant, local_time
from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out, print_json
from infra.cli.forms import as_dicts
from infra.settings import Settings
from schemas.errors import RetryableError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.settle import Settlement

Until = Annotated[
    str | None,
    typer.Option("--until", help="Settle scans made before it, ISO 8601. Default, and the latest: 5 minutes ago."),
]
Every = Annotated[
    float | None,
    typer.Option("--every", min=0.1, help="Minutes from one to the next, until Ctrl-C. Default: once."),
]
_LONGEST_STATEMENT_S = 86_400.0


@friendly_errors
def settle(until: Until = None, every: Every = None, as_json: JsonFlag = False) -> None:
    """Work out where stays end, for the views whose names begin with settled_; harmless to repeat or to cut off."""
    settings = load_settings()
    if until is not None and every is not None:
        raise typer.BadParameter("--until settles once, --every goes on: give one of them")
    before = None if until is None else instant("--until", until, settings)
    from infra.targets import clickhouse_target

    client = clickhouse_target(settings).client(timeout=_LONGEST_STATEMENT_S)
    try:
        if every is None:
            _tell(_once(client, before), settings, as_json=as_json)
        else:
            _for_ever(client, every * 60, settings, as_json=as_json)
    finally:
        client.close()


def _once(client: Client, until: datetime | None) -> Settlement:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from sinks.clickhouse.settle import settle as settle_stays

    columns = (TextColumn("settling stays"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=None)
        return settle_stays(client, until, lambda done, of: progress.update(task, completed=done, total=of))


def _for_ever(client: Client, pause_s: float, settings: Settings, *, as_json: bool) -> None:
    """Settle again and again; ClickHouse may be away meanwhile."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        began = time.monotonic()
        try:
            _tell(_once(client, None), settings, as_json=as_json)
        except RetryableError as error:
            err.print(f"not settled, tried again later: {error}", style="yellow", highlight=False, markup=False)
        stop.wait(max(0.0, began + pause_s - time.monotonic()))


def _tell(done: Settlement, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        print_json(as_dicts([done])[0])
        return
    took = (datetime.now(UTC) - done.began_at).total_seconds()
    out.print(
        f"{done.stays:,} stays settled, until {local_time(done.until, settings)}, in {took:.1f} s.", highlight=False
    )


def register(app: typer.Typer) -> None:
    app.command("settle")(settle)
