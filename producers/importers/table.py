"""Rows of a delimited file, strictly read: a quote that never closes spoils its own line and no other."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from producers.importers.lines import MAX_LINE, Lines
from producers.importers.row import Row
from schemas.errors import ConfigurationError

DELIMITERS: Final = (",", ";", "\t")
_NAMES: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}
_SAMPLE_LINES: Final = 50
_SAMPLE_LENGTH: Final = 20_000


class Table(Protocol):
    """A file as rows of equally many cells."""

    header: list[str] | None
    """Names of the columns, None where the file has none."""
    width: int

    def __iter__(self) -> Iterator[Row]: ...


def delimiter_of(text: str) -> str:
    """A delimiter given by name (comma, semicolon, tab, pipe) or as itself.

    Raises:
        ConfigurationError: it is neither one character nor a name.
    """
    found = _NAMES.get(text.lower(), text)
    if len(found) != 1 or found in '"\r\n':
        raise ConfigurationError(f"delimiter {text!r}: give comma, semicolon, tab, pipe, or one character")
    return found


def sniff_delimiter(lines: Sequence[str]) -> str:
    """The delimiter under which most lines have the same number of columns, more than one.

    Raises:
        ConfigurationError: under none of them there is more than one column.
    """
    best: tuple[float, int, str] | None = None
    for candidate in DELIMITERS:
        # Line by line: a quote that never closes must not hide the lines after it.
        widths = Counter(
            len(next(csv.reader([line[:_SAMPLE_LENGTH]], delimiter=candidate), [])) for line in lines if line.strip()
        )
        wide = [(count / widths.total(), width) for width, count in widths.items() if width > 1]
        if wide and (best is None or max(wide) > best[:2]):
            best = (*max(wide), candidate)
    if best is None:
        raise ConfigurationError(
            "found no delimiter (comma, semicolon or tab) in the first lines; name it with --delimiter"
        )
    return best[2]


class DelimitedTable:
    """A delimited file (RFC 4180: quotes double within quotes), with a header or without.

    A row whose quotes never close would swallow the rows after it: the reader takes its first line for bad and begins
    again with the next. Empty lines are no rows. Cells beyond the header are dropped when they are blank.

    Args:
        lines: the file.
        delimiter: one character; None: sniffed.
        with_header: whether the first row names the columns.

    Raises:
        ConfigurationError: the file is empty, its header is not well-formed, or no delimiter was found.
    """

    def __init__(self, lines: Lines, *, delimiter: str | None = None, with_header: bool = True) -> None:
        self._lines = lines
        if delimiter is None:
            sample = list(itertools.islice(lines, _SAMPLE_LINES))
            lines.put_back(sample)
            delimiter = sniff_delimiter(sample) if any(line.strip() for line in sample) else ","
        self.delimiter = delimiter
        self.header: list[str] | None = None
        self.width = 0
        self._rows = self._read()
        self._read_ahead: list[Row] = []
        for row in self._rows:
            if row.problem is None:
                self.width = len(row.cells)
            if with_header and row.problem is not None:
                raise ConfigurationError(f"the header (line {row.line}) is not well-formed: {row.problem}")
            if with_header:
                self.header = [name.strip() for name in row.cells]
                return
            self._read_ahead.append(row)
            if self.width:
                return
        if not self._read_ahead:
            raise ConfigurationError("the file is empty")

    def __iter__(self) -> Iterator[Row]:
        yield from self._read_ahead
        yield from self._rows

    def _read(self) -> Iterator[Row]:
        lines = self._lines
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.mark()
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield self._bad(line)
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                continue
            if not cells:
                continue
            if len(lines.taken[0]) >= MAX_LINE:
                yield self._bad(line)
            elif len(cells) == self.width or not self.width:
                yield Row(line, _joined(lines.taken), cells)
            elif len(cells) > self.width and not "".join(cells[self.width :]).strip():
                yield Row(line, _joined(lines.taken), cells[: self.width])
            elif len(lines.taken) > 1:
                yield self._bad(line)
            else:
                yield Row(line, _joined(lines.taken), cells, "column_count")

    def _bad(self, line: int) -> Row:
        """The first line taken is bad; the others are read again."""
        first, *others = self._lines.taken
        self._lines.put_back(others)
        problem = "bad_quoting"
        if len(first) >= MAX_LINE:
            problem = "too_long"
            self._skip_rest_of_line(first)
        return Row(line, first.rstrip("\r\n")[:1000] if problem == "too_long" else first.rstrip("\r\n"), [], problem)

    def _skip_rest_of_line(self, piece: str) -> None:
        while len(piece) >= MAX_LINE and not piece.endswith(("\n", "\r")):
            piece = next(self._lines, "")
            self._lines.number -= bool(piece)


def _joined(taken: list[str]) -> str:
    return (taken[0] if len(taken) == 1 else "".join(taken)).rstrip("\r\n")
