"""Checks that are made of decoded records, column by column: one call a batch where msgspec would need one a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Protocol

from schemas.dead_letter import Reason
from schemas.fixed_width import FixedWidth, positions_of

_JOINABLE = re.compile(r"\^((?:\[[0-9a-z-]+\]|\{[0-9]+\}|\(\?:|\)\??|[0-9a-z-])+)\\Z")
"""Patterns of plain characters, sets and repetitions: none of them can match a line break."""

_FEW = 8
"""A column with at least so many records a text has few texts."""


class Check(Protocol):
    """Something that must hold for one field of a record."""

    field: str
    reason: Reason

    def holds(self, record: object) -> bool:
        """Whether it holds for one record."""
        ...

    def holds_for_all(self, records: Sequence[object]) -> bool:
        """Whether it holds for every record of a batch."""
        ...


def can_be_joined(pattern: str) -> bool:
    """Whether a whole column of texts can be matched against the pattern at once."""
    return _JOINABLE.fullmatch(pattern) is not None


class TextCheck:
    """The text of a field matches its pattern, one for which `can_be_joined`.

    Where every match has one width, a column is checked as a table of bytes (`FixedWidth`). Else few different texts
    are matched one by one, and many as lines: as many lines as values means that no value holds a line break, and as
    the pattern matches none either, lines that all match are values that all match.
    """

    reason: Reason = "wrong_format"

    def __init__(self, field: str, pattern: str) -> None:
        self.field = field
        self._value = attrgetter(field)
        self._one = re.compile(pattern)
        plain = _JOINABLE.fullmatch(pattern)
        if plain is None:
            raise ValueError(f"the pattern {pattern} may match a line break")
        self._lines = re.compile(f"(?:{plain[1]}\n)*+")
        positions = positions_of(pattern)
        self._table = None if positions is None else FixedWidth(positions)

    def holds(self, record: object) -> bool:
        return self._one.match(self._value(record)) is not None

    def holds_for_all(self, records: Sequence[object]) -> bool:
        if self._table is not None:
            return self._table.holds_for_all([*map(self._value, records)])
        texts = set(map(self._value, records))
        if len(texts) * _FEW <= len(records):
            return all(map(self._one.match, texts))
        lines = "\n".join(map(self._value, records)) + "\n"
        return lines.count("\n") == len(records) and self._lines.fullmatch(lines) is not None


class InstantCheck:
    """The time of a field can be told in UTC: not so within hours of the years 0 and 10000, with the wrong offset."""

    reason: Reason = "out_of_range"

    def __init__(self, field: str, *, nullable: bool = False) -> None:
        self.field = field
        self._value = attrgetter(field)
        self._year = attrgetter(f"{field}.year")
        self._nullable = nullable

    def holds(self, record: object) -> bool:
        value = self._value(record)
        return value is None or is_instant(value)

    def holds_for_all(self, records: Sequence[object]) -> bool:
        if self._nullable:
            years = {value.year for value in map(self._value, records) if value is not None}
        else:
            years = set(map(self._year, records))
        return years.isdisjoint((1, 9999)) or all(map(self.holds, records))


def is_instant(value: datetime) -> bool:
    """Whether an aware time can be told in UTC, within the years 1 to 9999."""
    try:
        value.astimezone(UTC)
    except OverflowError:
        return False
    return True
