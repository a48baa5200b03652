"""How a view is asked: its parameters, its rows as dataclasses, and what went wrong in words a user can act on."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from schemas.errors import ConfigurationError, RetryableError, VenuecodeError
from sinks.clickhouse.dwell import Dwell
from sinks.clickhouse.limits import limit_met

T = TypeVar("T")

QUESTIONS: Final = f"question-{uuid.uuid4()}-"
"""What the query ids of all questions of this process begin with, for whoever looks after them while they run."""
_UNKNOWN_TABLE = 60
_numbers = itertools.count(1)
# The embedded server runs a statement under an id of the engine's own, and keeps the client's as its comment.
_OURS = f"startsWith(query_id, '{QUESTIONS}') OR startsWith(Settings['log_comment'], '{QUESTIONS}')"


def person(person_token: str, since: datetime, until: datetime) -> dict[str, str]:
    """The parameters that name a person and a span."""
    return {"person_token": person_token, **span(since, until)}


def people(person_tokens: Sequence[str], since: datetime, until: datetime) -> dict[str, str | list[str]]:
    """The parameters that name several people and a span."""
    return {"person_tokens": list(person_tokens), **span(since, until)}


def rule(rule_id: str, dwell: Dwell) -> dict[str, str]:
    """The parameters that name a rule and a way to end stays."""
    return {"rule_id": rule_id, "dwell": dwell}


def span(since: datetime, until: datetime) -> dict[str, str]:
    """The parameters of a span."""
    return {"since": instant(since), "until": instant(until)}


def instant(value: datetime) -> str:
    """As a `DateTime64(3, 'UTC')` parameter is written; milliseconds, rounded down."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def ask(
    client: Client,
    kind: type[T],
    view: str,
    arguments: Mapping[str, str | list[str]],
    tail: str = "",
    parameters: Mapping[str, Any] | None = None,
    *,
    always: bool = False,
) -> list[T]:
    """What a view answers, one `kind` a row; its fields are the columns that are asked for.

    Args:
        arguments: of a view with parameters.
        tail: SQL after the view, with its `parameters`.
        always: the view has parameters, also where none is given.

    Raises:
        RetryableError: ClickHouse does not answer.
        ConfigurationError: the view is missing.
        LimitError: it would have taken more than the server, or who connected, allows.
        VenuecodeError: ClickHouse refused.
    """
    columns = ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]
    found = rows(
        client,
        f"SELECT {columns} FROM {called(view, arguments, always=always)}{tail}",
        {**arguments, **(parameters or {})},
    )
    return [kind(*row) for row in found]


def called(view: str, arguments: Mapping[str, str | list[str]], *, always: bool = False) -> str:
    """A view as it stands in SQL, its arguments as bound parameters of the same names.

    Args:
        view: its name.
        arguments: none for a view without parameters.
        always: it has parameters, also where none is given.
    """
    given = ", ".join(
        f"{name} = {{{name}:{'String' if isinstance(value, str) else 'Array(String)'}}}"
        for name, value in arguments.items()
    )
    return f"{view}({given})" if arguments or always else view


def rows(client: Client, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement; errors as `ask`."""
    settings = {"query_id": f"{QUESTIONS}{next(_numbers)}"}
    with plain_errors():
        return [tuple(row) for row in client.query(sql, parameters=dict(parameters), settings=settings).result_rows]


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a client raises within becomes what `ask` raises."""
    try:
        yield
    except DatabaseError as error:
        if error.code is None:
            raise RetryableError(f"ClickHouse does not answer: {error}") from error
        if error.code == _UNKNOWN_TABLE:
            raise ConfigurationError("ClickHouse lacks a view: run `venuecode migrate up`") from error
        if (met := limit_met(error.code)) is not None:
            raise met from error
        raise VenuecodeError(f"ClickHouse refused the question: {error}") from error
    except (ClickHouseError, OSError) as error:
        raise RetryableError(f"ClickHouse does not answer: {error}") from error


def read_so_far(client: Client) -> tuple[int, int] | None:
    """Rows that the running question has read, and how many it will read as far as is known yet; None when none runs.

    Args:
        client: not the one that asks.
    """
    found = client.query(f"SELECT sum(read_rows), sum(total_rows_approx) FROM system.processes WHERE {_OURS}")
    read, total = found.result_rows[0]
    return (int(read), max(int(read), int(total))) if total else None


def cancel(client: Client) -> None:
    """Have the server end what this process asks, without waiting for it.

    Args:
        client: not the one that asks.
    """
    client.command(f"KILL QUERY WHERE {_OURS} ASYNC")
