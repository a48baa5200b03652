"""`venuecode status load|show`: health statuses onto their topic, and one person's latest."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

from infra.cli.common import JsonFlag, err, fail, friendly_errors, load_settings, out, print_json


@contextmanager
def _lines(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}", 2)
    with stream:
        yield stream


class _Rejects:
    """The file of bad lines: begun with the first, readable by its owner only, as a line may identify a person."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def add(self, number: int, reason: str, line: bytes) -> None:
        if self._file is None:
            self._file = open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")  # noqa: PTH123, SIM115
        entry = {"line": number, "reason": reason, "raw": line.decode("utf-8", "backslashreplace")}
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@friendly_errors
def load(
    file: Annotated[Path, typer.Argument(help="NDJSON, one HealthStatus a line; - for standard input.")],
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Where bad lines go; by default FILE.rejects.ndjson.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Publish health statuses; bad lines go to a file with their number and reason, and make exit code 1."""
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from producers.health_feed import load_statuses
    from producers.publisher import Publisher

    settings = load_settings()
    name = "standard-input" if str(file) == "-" else file.name
    bad = _Rejects(rejects or file.with_name(f"{name}.rejects.ndjson"))
    with (
        _lines(file) as lines,
        Publisher(settings.kafka.librdkafka()) as publisher,
        Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress,
    ):
        task = progress.add_task("connected")

        def show_progress(published: int, rejected: int) -> None:
            progress.update(task, description=f"{published:,} published, {rejected:,} rejected")

        try:
            report = load_statuses(
                lines, publisher, settings.kafka.topics().statuses, on_reject=bad.add, on_progress=show_progress
            )
        finally:
            bad.close()
    if as_json:
        where = str(bad.path) if report.rejected else None
        print_json({"published": report.published, "rejected": report.rejected, "rejects": where})
    else:
        out.print(f"{report.published:,} published, {report.rejected:,} rejected", highlight=False)
        if report.rejected:
            err.print(f"The rejected lines, with number and reason: {bad.path}", soft_wrap=True, markup=False)
    if report.rejected:
        raise SystemExit(1)


@friendly_errors
def show(
    token: Annotated[str, typer.Argument(help="The person's token: 32 hex digits.")],
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds for the reading.")] = 60,
    as_json: JsonFlag = False,
) -> None:
    """Print a person's latest status, and the colour that holds now: unknown where none is in force."""
    if re.fullmatch(r"[0-9a-f]{32}", token) is None:
        fail("a person token has 32 hex digits, in lower case", 2)

    from producers.health_feed import find_status
    from schemas.health import HealthStatus

    settings = load_settings()
    found = find_status(settings.kafka.librdkafka(), settings.kafka.topics().statuses, token, timeout)
    if found is None:
        print_json({"colour_now": "unknown", "status": None}) if as_json else out.print(
            "unknown: no status on the topic"
        )
        return
    status = found.status
    now = datetime.now(UTC)
    colour = status.colour if status.valid_from <= now < status.valid_until else "unknown"
    if as_json:
        from schemas.fast import encode

        record = {name: value for name, value in json.loads(encode(status)).items() if name != "person_token"}
        print_json({"colour_now": colour, "status": record, "partition": found.partition, "offset": found.offset})
        return
    why = "" if colour == status.colour else f" (the latest status, {status.colour}, is not in force)"
    out.print(f"[bold]{colour}[/] now{why}", highlight=False)
    for name in HealthStatus.field_names():
        if name != "person_token":
            out.print(f"  {name:12} {getattr(status, name)}", highlight=False, markup=False)


def register(app: typer.Typer) -> None:
    status = typer.Typer(help="Health statuses: load them, or look at one person's.", no_args_is_help=True)
    status.command("load")(load)
    status.command("show")(show)
    app.add_typer(status, name="status")
