"""The options of `venuecode import`, made from what each kind of file can hold: help and readers never differ."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from producers.importers.fields import FIELDS, MAPPED

_FILE = "The file"
_LAYOUT = "Layout of the file"
_COLUMNS = "Columns, each by its name or number"
_TIMES = "Times"
_RUN = "The run"

_Parameter = tuple[str, Any, Any]
"""Name, annotation, default."""


def _text(flag: str, help_text: str, panel: str, default: str | None = None) -> Any:
    kind = str if default is not None else str | None
    return Annotated[kind, typer.Option(flag, help=help_text, rich_help_panel=panel)]


def _switch(flag: str, help_text: str, panel: str) -> Any:
    return Annotated[bool, typer.Option(flag, help=help_text, rich_help_panel=panel)]


def _path(flag: str, help_text: str, panel: str) -> Any:
    return Annotated[Path | None, typer.Option(flag, help=help_text, rich_help_panel=panel)]


def _number(flag: str, help_text: str, panel: str, low: float | None = None, high: float | None = None) -> Any:
    return Annotated[float, typer.Option(flag, help=help_text, rich_help_panel=panel, min=low, max=high)]


def _layout() -> Iterator[_Parameter]:
    yield "encoding", _text("--encoding", "Such as utf-8, gbk, gb18030, latin-1.", _LAYOUT, ""), "utf-8"
    yield "delimiter", _text("--delimiter", "comma, semicolon, tab, or a character; else found out.", _LAYOUT), None
    yield "no_header", _switch("--no-header", "The first row is data; columns go by number.", _LAYOUT), False
    yield "geojson", _switch("--geojson", "GeoJSON with one feature a line, instead of a table.", _LAYOUT), False


def _times() -> Iterator[_Parameter]:
    form = "auto, iso, epoch-s, epoch-ms, or a pattern such as '%d/%m/%Y %H:%M'."
    yield "at_format", _text("--at-format", form, _TIMES, ""), "auto"
    yield "tz", _text("--tz", "Zone of times without an offset; else the city's (VENUECODE_TIMEZONE).", _TIMES), None
    twice = "Of a local time that clocks showed twice: first, second, or reject."
    yield "ambiguous", _text("--ambiguous", twice, _TIMES, ""), "first"
    now = "Move all times, order and gaps kept, so that the newest is now."
    yield "shift_to_now", _switch("--shift-to-now", now, _TIMES), False
    yield "shift_by", _number("--shift-by", "Move all times by so many seconds.", _TIMES), 0.0


def _of_kind(kind: str) -> Iterator[_Parameter]:
    if kind in ("scans", "statuses"):
        key = "File with the key that turns person ids into tokens (hexadecimal)."
        yield "token_key_file", _path("--token-key-file", key, _FILE), None
        yield "create_token_key", _switch("--create-token-key", "Make that file when it is not there.", _FILE), False
    if kind in ("venues", "windows"):
        lossy = "Take names and addresses in which characters were lost to question marks."
        yield "keep_lossy", _switch("--keep-lossy", lossy, _FILE), False
    if kind == "venues":
        yield "default_category", _text("--default-category", "Of rows without a category.", _FILE), None
    if kind == "windows":
        places = "File of venues (venue_id, name, address), to find venues by name and address."
        yield "venues", _path("--venues", places, _FILE), None
        versions = "Rows that share an id are different windows; else the last one counts."
        yield "keep_versions", _switch("--keep-versions", versions, _FILE), False
        yield "publisher", _text("--publisher", "Who published them, where the file does not say.", _FILE, ""), "import"
    if kind == "statuses":
        days = "How many days a colour holds, where the file does not say."
        yield (
            "valid_days",
            Annotated[float | None, typer.Option("--valid-days", help=days, rich_help_panel=_FILE)],
            None,
        )
        yield "given_by", _text("--given-by", "Who gave the colours, where the file does not say.", _FILE, ""), "import"


def _run() -> Iterator[_Parameter]:
    yield "max_bad", _number("--max-bad", "Share of bad rows above which to stop.", _RUN, 0, 1), 0.05
    yield "rejects", _path("--rejects", "Where rejected rows go; else FILE.rejects.csv.", _RUN), None
    yield "again", _switch("--again", "Send a file once more that was imported whole.", _RUN), False
    yield "dry_run", _switch("--dry-run", "Read everything, show the first records, send nothing.", _RUN), False


def _parameters(kind: str) -> Iterator[_Parameter]:
    yield "path", Annotated[Path, typer.Argument(metavar="FILE", help="What to import; may be gzip.")], inspect._empty
    yield from _of_kind(kind)
    for field, meaning in FIELDS[kind].items():
        flag = "--" + field.replace("_", "-")
        yield f"column_{field}", _text(flag, meaning[0].upper() + meaning[1:] + ".", _COLUMNS), None
    for field in MAPPED[kind]:
        text = f"What the file's values of {field} mean: value=meaning, separated by commas."
        yield f"map_{field}", _text(f"--{field}-map", text, _COLUMNS), None
    yield from _layout()
    if kind != "venues":
        yield from _times()
    yield from _run()


def command_for(kind: str, function: Callable[..., None], json_flag: Any) -> Callable[..., None]:
    """The function with the signature of its kind, for typer to read."""
    parameters = [*_parameters(kind), ("as_json", json_flag, False)]

    def command(**values: Any) -> None:
        function(**values)

    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, annotation, default in parameters
        ]
    )
    command.__annotations__ = {name: annotation for name, annotation, _ in parameters}
    return command
