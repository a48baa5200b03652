"""How a file is laid out, and the file opened that way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from producers.importers.geojson import GeoJsonTable
from producers.importers.lines import ByteProgress, Lines, encoding_label, open_lines
from producers.importers.table import DelimitedTable, Table


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out.

    Attributes:
        encoding: of the text.
        delimiter: one character; None: sniffed.
        with_header: whether the first row names the columns.
        geojson: whether it is GeoJSON, one feature a line, rather than a delimited file.
        more: with GeoJSON, properties that the first feature may lack.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    with_header: bool = True
    geojson: bool = False
    more: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The encoding as it stands in a reason."""
        return encoding_label(self.encoding)

    def table(self, lines: Lines) -> Table:
        """The rows in these lines.

        Raises:
            ConfigurationError: they are not laid out this way.
        """
        if self.geojson:
            return GeoJsonTable(lines, more=self.more)
        return DelimitedTable(lines, delimiter=self.delimiter, with_header=self.with_header)


@contextmanager
def open_table(path: Path, layout: Layout) -> Iterator[tuple[Table, ByteProgress]]:
    """A file's rows, and how far it has been read.

    Raises:
        ConfigurationError: it cannot be read, or is not laid out this way.
    """
    with open_lines(path, layout.encoding) as (lines, progress):
        yield layout.table(lines), progress
