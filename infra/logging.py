"""Logging: structlog on standard error, without person tokens."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog

_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def hide_person_tokens(_logger: Any, _method: str, line: Any) -> str:
    """Replace whatever looks like a person token.

    The last processor, after the line is rendered: however a token got there (a nested value, bytes, the text of an
    exception, the message of a library), it is text by then.
    """
    return _TOKEN.sub("<token>", str(line))


def configure_logging(level: str, log_format: Literal["text", "json"]) -> None:
    """Send structlog's and the standard library's log to standard error, in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
                hide_person_tokens,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
