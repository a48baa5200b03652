"""The one tree of errors.

VenuecodeError                  everything a user can meet
├── RejectError                 this record can never be processed: dead letters, and go on
├── RetryableError              the same call may work later: back off, and try again
├── LimitError                  a question asked for more than is allowed: ask for less, or raise the limit
└── FatalError                  going on would lose or corrupt data: stop, loudly
    └── ConfigurationError      a setting, file or argument is wrong: tell the user which
"""

from __future__ import annotations


class VenuecodeError(Exception):
    """An error that a user can meet: says what happened, to what, and what to do about it."""


class RejectError(VenuecodeError):
    """A record that can never be processed.

    Args:
        reason: a member of `schemas.dead_letter.Reason`; becomes the dead letter's `reason` header.
        detail: where in the record, without any value out of it (a value may identify a person).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class RetryableError(VenuecodeError):
    """The same call may succeed later; nothing was acknowledged."""


class LimitError(VenuecodeError):
    """A question met a limit; nothing of its answer is there.

    Args:
        limit: a field of `sinks.clickhouse.limits.Limits`.
        message: what was too much.
    """

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class FatalError(VenuecodeError):
    """Going on would lose data; the process must end with a non-zero exit code."""


class ConfigurationError(FatalError):
    """A setting, a file or an argument is wrong."""
