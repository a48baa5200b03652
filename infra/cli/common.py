"""What every verb shares: settings, errors a user can read, JSON output."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import pydantic
import typer
from rich.console import Console
from rich.markup import escape

from infra.logging import configure_logging
from infra.settings import Settings
from schemas.errors import VenuecodeError

P = ParamSpec("P")
T = TypeVar("T")

_PIPE_WIDTH = 160
"""Where there is no terminal whose width counts, tables need not be squeezed into 80 columns."""

out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH)
err = Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def load_settings(**logging_overrides: str) -> Settings:
    """The settings from the environment; logging is configured by them.

    A wrong setting ends the process with exit code 2 and names the variable.
    """
    try:
        settings = Settings()
    except pydantic.ValidationError as error:
        for problem in error.errors():
            name = "VENUECODE_" + "__".join(str(part) for part in problem["loc"]).upper()
            err.print(f"[bold red]Setting {escape(name)}:[/] {escape(problem['msg'])}", highlight=False, soft_wrap=True)
        raise SystemExit(2) from None
    configure_logging(logging_overrides.get("level", settings.log_level), settings.log_format)
    return settings


def fail(message: str, code: int = 1) -> NoReturn:
    """End with a message on standard error."""
    err.print(f"[bold red]Error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise SystemExit(code)


def print_json(value: Any) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def friendly_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Turn the project's own errors into a message and exit code 1, and Ctrl-C into exit code 130; no tracebacks."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except VenuecodeError as error:
            fail(str(error))
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    return wrapper
