"""What an error of ClickHouse means for the sink: bad rows, nothing to be mended by trying again, or neither."""

from __future__ import annotations

from schemas.errors import ConfigurationError, RetryableError

# Numbers of ClickHouse's src/Common/ErrorCodes.cpp. CANNOT_READ_ALL_DATA (33) is none of them: the decoder has seen
# that every row is whole, so it speaks of the connection or of the server's disk.
_BAD_ROW = frozenset({6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 376, 407, 469, 691})
_MISSING = {10: "a column", 16: "a column", 47: "a column", 60: "a table", 81: "the database"}
_NOT_LET_IN = frozenset({192, 193, 194, 497, 516})


def is_bad_row(error: Exception) -> bool:
    """Whether the error speaks of the rows that were sent, not of the server."""
    return getattr(error, "code", None) in _BAD_ROW


def raise_if_hopeless(error: Exception) -> None:
    """Give up on what no repetition mends.

    Raises:
        ConfigurationError: something is missing in the database, or the server does not let us in.
    """
    code = getattr(error, "code", None)
    if code in _MISSING:
        raise ConfigurationError(
            f"{_MISSING[code]} is missing in ClickHouse: run `venuecode migrate up` ({in_short(error)})"
        ) from error
    if code in _NOT_LET_IN:
        raise ConfigurationError(f"ClickHouse does not let the sink in: {in_short(error)}") from error


def in_short(error: Exception) -> str:
    """The kind of error and its code, fit for a log: ClickHouse's own text may quote a row."""
    if isinstance(error, RetryableError):
        return str(error)
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" {code}" if code is not None else "")
