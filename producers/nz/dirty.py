"""The broken rows of the publication, put through the importer as they stood in their files."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from producers.importers.kinds import Meaning, reader_maker
from producers.importers.lines import Lines, decoded
from producers.importers.plan import Circumstances
from producers.importers.records import Brake, chunks
from producers.importers.rejects import Rejects
from producers.importers.source import Layout
from producers.nz.published import data_file, meaning

PUBLISHED_TIMES: Final = "%d/%m/%Y, %I:%M %p"
"""How the publication writes times: `12/08/2021, 1:45 pm`, local."""

_CSV_LAYOUTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        8: "id,Event,Location,Start,End,Advice,LAT,LNG",
        9: "id,Event,Location,City,Start,End,Advice,LAT,LNG",
        10: "id,Event,Location,City,Start,End,Advice,LAT,LNG,Added",
        11: "id,Event,Location,City,Start,End,Advice,LAT,LNG,Added,Updated",
    }
)
"""The publication's columns over time, by how many there are. A row of another width keeps the widest header."""

_GEOJSON_PROPERTIES: Final = ("id", "Event", "Location", "Start", "End")
_ESCAPED_BYTE: Final = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class DirtyRow:
    """A broken row: what is wrong with it, whether it comes from GeoJSON, and its bytes."""

    reason: str
    geojson: bool
    raw: bytes


def dirty_rows() -> list[DirtyRow]:
    """The 238 broken rows byte for byte: where the list writes `\\xa0` for a byte, this is the byte."""
    with data_file("dirty_rows.csv") as path, path.open(encoding="utf-8", newline="") as file:
        return [
            DirtyRow(
                row["reason"],
                row["source_file"].endswith(".geojson"),
                _ESCAPED_BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), row["raw"].encode())
                if row["reason"] == "not_utf8"
                else row["raw"].encode(),
            )
            for row in csv.DictReader(file)
        ]


def _as_file(row: DirtyRow) -> tuple[bytes, Layout]:
    """A broken row as it stood in its file: under the header of its time."""
    if row.geojson:
        return row.raw + b"\n", Layout(geojson=True, more=_GEOJSON_PROPERTIES)
    cells = next(csv.reader([row.raw.decode(errors="replace")]))
    header = _CSV_LAYOUTS.get(len(cells), _CSV_LAYOUTS[11])
    return header.encode() + b"\r\n" + row.raw + b"\r\n", Layout(delimiter=",")


def import_dirty_row(row: DirtyRow, rejects_file: Path | None = None) -> tuple[Counter[str], int]:
    """Put a broken row through the importer's parser.

    Args:
        row: to read, as the only one of its file.
        rejects_file: where the rejected row goes with its line and reason; None: nowhere.

    Returns:
        The rejects by reason, and how many records came out: none.
    """
    data, layout = _as_file(row)
    with decoded(io.BytesIO(data), layout.encoding) as text, Rejects(rejects_file) as rejects:
        table = layout.table(Lines(text))
        reader = reader_maker("windows", _published())(table, Circumstances())
        taken = sum(len(chunk.records) for chunk in chunks(table, reader, layout.label, rejects, Brake(1.0)))
    return rejects.by_reason, taken


@cache
def _published() -> Meaning:
    """The columns as the ministry published them: `Location` is the address, and `Event` the name with a date."""
    columns = {"window_id": "id", "name": "Event", "title": "Event", "address": "Location"}
    return replace(
        meaning(PUBLISHED_TIMES, keep_lossy=False), columns={**columns, "starts_at": "Start", "ends_at": "End"}
    )


def dirty_rejects() -> Counter[str]:
    """All broken rows through the importer's parser: the rejects by reason."""
    total: Counter[str] = Counter()
    for row in dirty_rows():
        total += import_dirty_row(row)[0]
    return total
