"""Which column holds what: by name or by number, with the names that are usual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from producers.importers.row import Row, RowRejected
from schemas.errors import ConfigurationError

EMPTY: Final = frozenset(("", "NA", "N/A", "NULL", "null", "None", "\\N"))
"""Cells that hold nothing, as databases and statistics programs write it."""


class Columns:
    """Finds columns of a file.

    Args:
        header: the names of the columns, or None.
        width: how many there are.
        given: what the user said: field to column, by name or by number (the first is 1).
    """

    def __init__(self, header: Sequence[str] | None, width: int, given: Mapping[str, str | None]) -> None:
        self._header = list(header) if header is not None else None
        self._width = width
        self._given = given

    def optional(self, field: str, *usual: str) -> int | None:
        """The index of the column that holds a field, or None when there is none.

        Args:
            field: what the option is called.
            *usual: names to look for when the user named none; the field's own name comes first.

        Raises:
            ConfigurationError: the user named a column that is not there.
        """
        spec = self._given.get(field)
        if spec is not None:
            return self._named(field, spec)
        for name in (field, *usual):
            if self._header is not None and name in self._header:
                return self._header.index(name)
        return None

    def required(self, field: str, *usual: str) -> int:
        """As `optional`, for a field that must be there.

        Raises:
            ConfigurationError: it is not.
        """
        found = self.optional(field, *usual)
        if found is None:
            names = ", ".join((field, *usual))
            raise ConfigurationError(
                f"no column for {field!r}: none is called {names}; name it with {option(field)}, by its name or by"
                f" its number. {self._there()}"
            )
        return found

    def _named(self, field: str, spec: str) -> int:
        if self._header is not None:
            if self._header.count(spec) == 1:
                return self._header.index(spec)
            lower = [name.casefold() for name in self._header]
            if lower.count(spec.casefold()) == 1:
                return lower.index(spec.casefold())
            if spec.casefold() in lower:
                raise ConfigurationError(f"{option(field)} {spec}: several columns have this name; use a number")
        if spec.isascii() and spec.isdigit() and 1 <= int(spec) <= self._width:
            return int(spec) - 1
        raise ConfigurationError(f"{option(field)} {spec}: there is no such column. {self._there()}")

    def _there(self) -> str:
        if self._header is None:
            return f"The file has no header and {self._width} columns: 1 to {self._width}."
        return f"The file has: {', '.join(self._header)}."


def option(field: str) -> str:
    """The command-line option of a field."""
    return "--" + field.replace("_", "-")


def parse_mapping(text: str | None) -> dict[str, str]:
    """`in=enter,out=leave` as a mapping.

    Raises:
        ConfigurationError: a part has no `=`.
    """
    mapping: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigurationError(f"mapping {part!r}: write value=meaning, separated by commas")
        mapping[name.strip()] = value.strip()
    return mapping


class Choice:
    """A cell whose value must be one of a list, after a mapping; a missing or empty cell is the default.

    Args:
        index: of the column, or None.
        allowed: the values a record takes.
        default: for a missing column or an empty cell; None: then the row is refused.
        mapping: from the file's values to allowed ones; once there is one, other values are refused.

    Raises:
        ConfigurationError: the mapping leads to a value that is not allowed.
    """

    def __init__(
        self, index: int | None, allowed: Sequence[str], default: str | None, mapping: Mapping[str, str]
    ) -> None:
        for value in mapping.values():
            if value not in allowed:
                raise ConfigurationError(f"a mapping leads to {value!r}; possible are {', '.join(allowed)}")
        self._index = index
        self._default = default
        self._meaning = dict(mapping) if mapping else {value: value for value in allowed}

    def of(self, row: Row) -> str:
        """The value.

        Raises:
            RowRejected: `unknown_value`, or `missing_value` where there is no default.
        """
        cell = "" if self._index is None else row.cells[self._index].strip()
        found = self._meaning.get(cell)
        if found is not None:
            return found
        if cell not in EMPTY:
            raise RowRejected("unknown_value")
        if self._default is None:
            raise RowRejected("missing_value")
        return self._default


def text_of(row: Row, index: int | None, default: str = "") -> str:
    """A cell without surrounding spaces; the default where there is no column or the cell is empty."""
    if index is None:
        return default
    cell = row.cells[index].strip()
    return default if cell in EMPTY else cell


def required_text(row: Row, index: int) -> str:
    """A cell without surrounding spaces.

    Raises:
        RowRejected: `missing_value`.
    """
    found = text_of(row, index)
    if not found:
        raise RowRejected("missing_value")
    return found


def number_of(row: Row, index: int | None) -> float | None:
    """A cell as a number, or None where it is empty.

    Raises:
        RowRejected: `bad_number`.
    """
    text = text_of(row, index)
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        raise RowRejected("bad_number") from None
    if not math.isfinite(found):
        raise RowRejected("bad_number")
    return found


def whole_number_of(row: Row, index: int | None) -> int | None:
    """A cell as a whole number (a fraction is dropped), or None where it is empty.

    Raises:
        RowRejected: `bad_number`, or `out_of_range` beyond 2 to the power of 53.
    """
    found = number_of(row, index)
    if found is None:
        return None
    if abs(found) > 2**53:
        raise RowRejected("out_of_range")
    return int(found)
