"""What the verbs that ask ClickHouse share: the connection, the span of time, the forms of output."""

from __future__ import annotations

import csv
import dataclasses
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from infra.settings import Settings
from schemas.base import format_timestamp

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
DEFAULT_SPAN = timedelta(days=14)
_TOKEN = re.compile(r"[0-9a-f]{32}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Since = Annotated[
    str | None,
    typer.Option("--since", help="Date or time, ISO 8601; without an offset in the city's zone. Default: 14 days ago."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Date or time, ISO 8601; without an offset in the city's zone. Default: now."),
]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print CSV that is safe to open in a spreadsheet.")]


def _token(value: str) -> str:
    lowered = value.lower()
    if not _TOKEN.fullmatch(lowered):
        raise typer.BadParameter("a person token is 32 hexadecimal digits")
    return lowered


Token = Annotated[str, typer.Argument(callback=_token, help="The person token: 32 hexadecimal digits.")]


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    """A client on the database of the settings, closed at the end.

    Raises:
        RetryableError, ConfigurationError: ClickHouse does not answer, or not us.
    """
    from infra.targets import clickhouse_target

    client = clickhouse_target(settings).client()
    try:
        yield client
    finally:
        client.close()


def span(since: str | None, until: str | None, settings: Settings, now: datetime) -> tuple[datetime, datetime]:
    """The span of time that `--since` and `--until` mean.

    Raises:
        typer.BadParameter: one is no time, or the span is empty.
    """
    zone = ZoneInfo(settings.timezone)
    end = _instant("--until", until, zone) if until is not None else now
    begin = _instant("--since", since, zone) if since is not None else end - DEFAULT_SPAN
    if begin >= end:
        raise typer.BadParameter(f"--since ({begin.isoformat()}) must lie before --until ({end.isoformat()})")
    return begin, end


def _instant(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: {text!r} is no time; write 2026-03-01 or 2026-03-01T08:30") from None
    return value if value.tzinfo is not None else value.replace(tzinfo=zone)


def one_form(as_json: bool, as_csv: bool) -> None:
    """Check that at most one form of output is asked for.

    Raises:
        typer.BadParameter: both are.
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")


def as_dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Dataclass rows as JSON takes them: times as RFC 3339 in UTC."""
    return [{name: _plain(value) for name, value in dataclasses.asdict(row).items()} for row in rows]


def _plain(value: Any) -> Any:
    return format_timestamp(value.astimezone(UTC)) if isinstance(value, datetime) else value


def print_csv(kind: type[Any], rows: Iterable[Any]) -> None:
    """Rows of a dataclass as CSV with a header; lists are joined by blanks."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = [field.name for field in dataclasses.fields(kind)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in names])
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(str(item) for item in value)
    value = _plain(value)
    return defused(value) if isinstance(value, str) else value


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection): led by an apostrophe where it might."""
    return "'" + text if text.startswith(_FORMULA) else text


def local_time(value: datetime, settings: Settings) -> str:
    """A time as people in the city read it, to the second."""
    return value.astimezone(ZoneInfo(settings.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, without leading zeros."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def shortened(items: Sequence[str], most: int = 3) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
