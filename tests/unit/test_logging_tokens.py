"""No person token reaches the log, however it got into an event."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from infra.logging import configure_logging

TOKEN = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_token_is_hidden_wherever_it_stands_in_an_event(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json" if log_format == "json" else "text")
    structlog.contextvars.bind_contextvars(person=TOKEN)
    log = structlog.get_logger("a")
    log.info("scan of " + TOKEN, key=TOKEN.encode(), nested={TOKEN: [TOKEN, {"deep": (TOKEN,)}]}, url=f"/p_{TOKEN}/x")
    log.info("scan of %s", TOKEN)
    logging.getLogger("library").warning("record %s of %r", TOKEN, {"key": TOKEN.encode()}, extra={"who": TOKEN})
    try:
        raise ValueError(f"person {TOKEN}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed too")
    structlog.contextvars.clear_contextvars()
    lines = capsys.readouterr().err
    assert TOKEN not in lines
    assert lines.count("<token>") >= 12
    assert lines.count("ValueError") >= 2
    if log_format == "json":
        for line in lines.splitlines():
            json.loads(line)


def test_what_is_no_token_stays_readable(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    digest = "0123456789abcdef" * 4
    logging.getLogger("library").info("jar %s, scan %s", digest, "01997c3e-8a00-7abc-8def-0123456789ab")
    assert digest in capsys.readouterr().err


def test_the_level_is_honoured_by_both_kinds_of_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning", "text")
    structlog.get_logger("a").info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger("a").warning("loud")
    lines = capsys.readouterr().err
    assert "quiet" not in lines
    assert "loud" in lines
