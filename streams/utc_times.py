"""Times in UTC as a table of characters, read by arithmetic on its columns. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Characters = npt.NDArray[np.uint8]

FORM: Final = "0000-00-00T00:00:00.000000Z"
WHOLE_SECOND: Final = len("2026-01-01T00:00:00Z")
MILLISECOND: Final = len("2026-01-01T00:00:00.000Z")
SECONDS_AT: Final = len("2026-01-01T00:00:")
_IS_DIGIT: Final = np.array([character == "0" for character in FORM])
_ASKED: Final = np.frombuffer(FORM.encode(), np.uint8)
_PAIRS: Final = np.array([0, 2, 5, 8, 11, 14, 17])
"""Where there are two digits: century, year, month, day, hour, minute, second."""
_TENS: Final = np.array([100_000, 10_000, 1000, 100, 10, 1])


class Times(NamedTuple):
    """Columns of equal length.

    Attributes:
        at_ms: epoch milliseconds, rounded down; 0 where it was not read.
        microseconds: within the second.
        read: where the characters are a time from 1970 to 2099.
    """

    at_ms: Ints
    microseconds: Ints
    read: Mask


def read_times(characters: Characters) -> Times:
    """Rows of 27 characters as times of the form `2026-01-01T00:00:00.000000Z`."""
    digits = characters - np.uint8(ord("0"))
    read = np.where(_IS_DIGIT, digits <= 9, characters == _ASKED).all(axis=1)
    pairs = (digits[:, _PAIRS] * np.uint8(10) + digits[:, _PAIRS + 1]).T.astype(np.int64)
    century, year, month, day, hour, minute, second = pairs
    year = 100 * century + year
    months = (year - 1970) * 12 + month - 1
    first = _first_day(months)
    read &= (year >= 1970) & (year < 2100) & (month >= 1) & (month <= 12)
    read &= (day >= 1) & (day <= _first_day(months + 1) - first) & (hour < 24) & (minute < 60) & (second < 60)
    microseconds: Ints = digits[:, WHOLE_SECOND:-1].astype(np.int64) @ _TENS
    minutes = ((first + day - 1) * 24 + hour) * 60 + minute
    return Times(np.where(read, minutes * 60_000 + second * 1000 + microseconds // 1000, 0), microseconds, read)


def _first_day(months: Ints) -> Ints:
    """Days since 1970 of the first day of each month, months counted since 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)
