"""What the verbs that ask ClickHouse share: the connection, the span of time, how things are said to a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Column

from infra.cli.common import fail
from infra.cli.waiting import watched
from infra.settings import Settings
from schemas.errors import LimitError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DEFAULT_SPAN = timedelta(days=14)
EXIT_LIMIT = 3
"""Exit code of a verb whose question met a limit."""
_TOKEN = re.compile(r"[0-9a-f]{32}")

Since = Annotated[
    str | None,
    typer.Option("--since", help="Date or time, ISO 8601; without an offset in the city's zone. Default: 14 days ago."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Date or time, ISO 8601; without an offset in the city's zone. Default: now."),
]


def _token(value: str) -> str:
    lowered = value.lower()
    if not _TOKEN.fullmatch(lowered):
        raise typer.BadParameter("a person token is 32 hexadecimal digits")
    return lowered


def tokens(values: Sequence[str] | None) -> list[str] | None:
    """Person tokens as they were given, in small letters.

    Raises:
        typer.BadParameter: one is none.
    """
    return None if values is None else [_token(value) for value in values]


Token = Annotated[str, typer.Argument(callback=_token, help="The person token: 32 hexadecimal digits.")]


@contextmanager
def connected(settings: Settings, *, sooner: str = "") -> Iterator[Client]:
    """A client on the database of the settings, with their limits of a question, closed at the end.

    A limit that is met ends the process with exit code 3 and names the setting.

    Args:
        settings: where ClickHouse is, and the limits.
        sooner: how else to ask, of which the error of a limit speaks.

    Raises:
        RetryableError, ConfigurationError: ClickHouse does not answer, or not us.
    """
    from infra.targets import clickhouse_target, limit_questions

    target = clickhouse_target(settings)
    client = target.client()
    try:
        limit_questions(client, settings)
        with watched(target):
            yield client
    except LimitError as error:
        fail(
            f"{error}: VENUECODE_QUESTIONS__{error.limit.upper()} is {getattr(settings.questions, error.limit):g}. "
            f"Ask for a shorter span or a stricter rule{sooner and f', {sooner}'}, or raise it.",
            EXIT_LIMIT,
        )
    finally:
        client.close()


def span(since: str | None, until: str | None, settings: Settings, now: datetime) -> tuple[datetime, datetime]:
    """The span of time that `--since` and `--until` mean.

    Raises:
        typer.BadParameter: one is no time, or the span is empty.
    """
    end = instant("--until", until, settings) if until is not None else now
    begin = instant("--since", since, settings) if since is not None else end - DEFAULT_SPAN
    if begin >= end:
        raise typer.BadParameter(f"--since ({begin.isoformat()}) must lie before --until ({end.isoformat()})")
    return begin, end


def instant(option: str, text: str, settings: Settings) -> datetime:
    """The time that an option means, in the city's zone unless it has an offset.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: {text!r} is no time; write 2026-03-01 or 2026-03-01T08:30") from None
    return value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(settings.timezone))


def local_time(value: datetime, settings: Settings) -> str:
    """A time as people in the city read it, to the second."""
    return value.astimezone(ZoneInfo(settings.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def token_column(title: str) -> Column:
    """A column of person tokens: never shortened, for a part of one is of no use."""
    return Column(title, no_wrap=True, min_width=32)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, without leading zeros."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def shortened(items: Sequence[str], most: int = 3) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
