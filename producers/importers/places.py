"""Finds a venue by its published name and address, which are rarely written twice the same way."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from producers.importers.columns import Columns, required_text, text_of
from producers.importers.row import RowRejected
from producers.importers.source import Layout, open_table

_WORDS: Final = re.compile(r"\w+")


def squash(text: str) -> str:
    """Letters and digits only, lower case, without accents: `PAK'nSAVE, Pāpāmoa` and `Pak n Save Papamoa` are one."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return "".join(_WORDS.findall(plain.casefold())).replace("_", "")


class Places:
    """Venues by name and address.

    A venue that is written exactly so is found first; else one whose squashed name and address are equal, and of
    several such the one that is written most alike.

    Args:
        venues: (venue_id, name, address) of each.
    """

    def __init__(self, venues: Iterable[tuple[str, str, str]]) -> None:
        self._exact: dict[tuple[str, str], str] = {}
        self._squashed: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
        for venue_id, name, address in venues:
            self._exact.setdefault((name, address), venue_id)
            self._squashed[squash(name), squash(address)].append((venue_id, name, address))

    def find(self, name: str, address: str) -> str | None:
        """The id of the venue, or None."""
        found = self._exact.get((name, address))
        if found is not None:
            return found
        alike = self._squashed.get((squash(name), squash(address)))
        if alike is None:
            return None
        wanted = f"{name}\n{address}"
        best = max(
            alike, key=lambda venue: (SequenceMatcher(None, wanted, f"{venue[1]}\n{venue[2]}").ratio(), venue[0])
        )
        return best[0]


def read_places(path: Path, layout: Layout) -> Places:
    """Venues of a file with the columns `venue_id`, `name` and `address`; rows without id or name are passed over.

    Raises:
        ConfigurationError: the file cannot be read, or a column is missing.
    """
    with open_table(path, layout) as (table, _):
        columns = Columns(table.header, table.width, {})
        venue, name = columns.required("venue_id", "venue", "id"), columns.required("name", "venue_name")
        address = columns.optional("address")
        venues = []
        for row in table:
            if row.problem is None:
                try:
                    venues.append((required_text(row, venue), required_text(row, name), text_of(row, address)))
                except RowRejected:
                    continue
    return Places(venues)
