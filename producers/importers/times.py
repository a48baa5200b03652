"""Times as files have them: ISO 8601, seconds or milliseconds since 1970, or a `strptime` format; daylight saving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from producers.importers.row import RowRejected
from schemas.errors import ConfigurationError

Ambiguous = Literal["first", "second", "reject"]
AMBIGUOUS: Final[tuple[Ambiguous, ...]] = ("first", "second", "reject")

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_SECONDS_BELOW: Final = 1e11
"""A number below it is seconds (it is reached in the year 5138), others are milliseconds (it is March 1973)."""


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ConfigurationError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"unknown time zone {name!r}; use an IANA name such as Pacific/Auckland") from None


class TimeReader:
    """Turns cells into instants.

    A local time that the clocks skipped never was, and is refused. One that they showed twice is the first of the two
    (daylight saving still on) unless told otherwise.

    Args:
        form: `auto` (a number is an epoch, seconds or milliseconds by its size; all else ISO 8601), `iso`, `epoch-s`,
            `epoch-ms`, or a `strptime` format, recognised by its `%`.
        local: the zone of times without an offset.
        ambiguous: which of two instants a local time shown twice is.

    Raises:
        ConfigurationError: no such format.
    """

    def __init__(self, form: str, local: ZoneInfo, ambiguous: Ambiguous = "first") -> None:
        readers: dict[str, Callable[[str], datetime]] = {
            "auto": self._auto,
            "iso": self._iso,
            "epoch-s": lambda text: _epoch(float(text) * 1000),
            "epoch-ms": lambda text: _epoch(float(text)),
        }
        if form not in readers and "%" not in form:
            raise ConfigurationError(
                f"time format {form!r}: give auto, iso, epoch-s, epoch-ms, or a pattern such as '%d/%m/%Y %H:%M'"
            )
        self._form = form
        self._local = local
        self._ambiguous = ambiguous
        self._read = readers.get(form, self._pattern)

    def read(self, cell: str) -> datetime:
        """A cell as an instant in UTC, in whole milliseconds.

        Raises:
            RowRejected: `unparsable_time`, `nonexistent_time` or `ambiguous_time`.
        """
        try:
            found = self._read(cell.strip())
            if found.tzinfo is None:
                found = self._located(found)
            found = found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise RowRejected("unparsable_time") from None
        return found.replace(microsecond=found.microsecond // 1000 * 1000)

    def _auto(self, text: str) -> datetime:
        try:
            number = float(text)
        except ValueError:
            return self._iso(text)
        return _epoch(number * 1000 if abs(number) < _SECONDS_BELOW else number)

    def _iso(self, text: str) -> datetime:
        # Only a date: midnight would be made up.
        if len(text) <= 10:
            raise ValueError("no time of day")
        return datetime.fromisoformat(text)

    def _pattern(self, text: str) -> datetime:
        return datetime.strptime(text, self._form)  # noqa: DTZ007 - the zone is added where the text has none

    def _located(self, local: datetime) -> datetime:
        first = local.replace(tzinfo=self._local, fold=0)
        second = local.replace(tzinfo=self._local, fold=1)
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(self._local).replace(tzinfo=None) != local.replace(fold=0):
            raise RowRejected("nonexistent_time")
        if self._ambiguous == "reject":
            raise RowRejected("ambiguous_time")
        return second if self._ambiguous == "second" else first


def _epoch(milliseconds: float) -> datetime:
    # From a whole number of milliseconds: a float of seconds would lose some of them.
    return EPOCH + round(milliseconds) * _MS
