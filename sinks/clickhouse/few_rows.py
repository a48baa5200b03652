"""A few rows into a table, in one request.

The driver's own insert asks for the table's columns first, and imports pandas wherever that is installed, to see
whether the rows are a frame of it (docs/upstream.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

# Instants as RFC 3339 has them.
_SETTINGS: Final = {"date_time_input_format": "best_effort"}


def insert_rows(client: Client, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows as JSON: texts, numbers, flags, aware times; None where the column is nullable.

    Args:
        client: connected to the database of the table.
        table: its name.
        columns: that the rows give, in their order; the others have their defaults.
        rows: all of them or none, in one block.

    Raises:
        ClickHouseError: of `clickhouse_connect.driver.exceptions`: ClickHouse refused, or does not answer.
    """
    lines = b"\n".join(msgspec.json.encode(dict(zip(columns, row, strict=True))) for row in rows)
    client.raw_insert(table, column_names=columns, insert_block=lines, settings=_SETTINGS, fmt="JSONEachRow")
