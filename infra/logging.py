"""Logging: structlog on standard error, without person tokens."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Literal

import structlog

_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


_REPEATED_EVERY_S: Final = 10.0


class FewRepeats(logging.Filter):
    """Lets a message of a chatty library through once in a while, and says then how many were left out.

    aiokafka tries brokers that are away ten times a second, and says so several times each: 40 lines a second.

    Args:
        library: name of the loggers, and the beginning of those below it.
        seconds: between two of one message, whatever its arguments.
        clock: monotonic seconds.
    """

    def __init__(
        self, library: str, seconds: float = _REPEATED_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(library)
        self._seconds, self._clock = seconds, clock
        self._passed: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be seen."""
        if not super().filter(record):
            return True
        key, now = (record.name, record.levelno, str(record.msg)), self._clock()
        passed_at, left_out = self._passed.get(key, (float("-inf"), 0))
        if now - passed_at < self._seconds:
            self._passed[key] = (passed_at, left_out + 1)
            return False
        self._passed[key] = (now, 0)
        if left_out:
            record.msg = f"{record.msg} ({left_out} more since the last)"
        return True


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
    handler.addFilter(FewRepeats("aiokafka"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
