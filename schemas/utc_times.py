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
_DATE: Final = len("2026-01-01")
_LOWEST: Final = np.frombuffer(FORM.encode(), np.uint8)
_SPAN: Final = np.array([9 if character == "0" else 0 for character in FORM], np.uint8)
"""How far above the lowest a character may be: what is below is far above, as a byte."""
_DATE_PAIRS: Final = np.array([0, 2, 5, 8])
"""Where there are two digits: century, year, month, day."""
_TIME_PAIRS: Final = np.array([11, 14, 17])
"""Hour, minute, second."""
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
    digits = characters - _LOWEST
    # Times that come together mostly are of one day.
    one_day = bool((characters[:, :_DATE] == characters[:1, :_DATE]).all())
    days, are_days = _days(digits[:1] if one_day else digits)
    hour, minute, second = _pairs(digits, _TIME_PAIRS)
    read = all_of_each(digits <= _SPAN)
    read &= are_days & (hour < 24) & (minute < 60) & (second < 60)
    microseconds: Ints = digits[:, WHOLE_SECOND:-1].astype(np.int64) @ _TENS
    minutes = (days * 24 + hour) * 60 + minute
    return Times(np.where(read, minutes * 60_000 + second * 1000 + microseconds // 1000, 0), microseconds, read)


def all_of_each(table: Mask) -> Mask:
    """Which rows of a table are true throughout."""
    # Mostly all are: to look at the whole is several times faster than row by row.
    if table.all():
        return np.ones(len(table), np.bool_)
    rows: Mask = np.logical_and.reduce(table, axis=1)
    return rows


def _days(digits: Characters) -> tuple[Ints, Mask]:
    """Days since 1970, and where there is such a day until 2099."""
    century, year, month, day = _pairs(digits, _DATE_PAIRS)
    year = 100 * century + year
    months = (year - 1970) * 12 + month - 1
    first = _first_day(months)
    read = (year >= 1970) & (year < 2100) & (month >= 1) & (month <= 12)
    return first + day - 1, read & (day >= 1) & (day <= _first_day(months + 1) - first)


def _pairs(digits: Characters, at: npt.NDArray[np.int64]) -> Ints:
    """Numbers of two digits, a row for each of the places where they begin."""
    return (digits[:, at] * np.uint8(10) + digits[:, at + 1]).T.astype(np.int64)


def _first_day(months: Ints) -> Ints:
    """Days since 1970 of the first day of each month, months counted since 1970."""
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)
