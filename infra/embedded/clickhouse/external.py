"""External tables: data that came with a query becomes a temporary table of its connection."""

from __future__ import annotations

import contextlib
import tempfile

from infra.embedded.clickhouse.engine import EngineConnection, quote, quote_name
from infra.embedded.clickhouse.errors import ServerError
from infra.embedded.clickhouse.multipart import ExternalTable


def create_external(connection: EngineConnection, table: ExternalTable) -> None:
    """Make the table and fill it.

    Raises:
        ServerError: its structure or its data is wrong.
    """
    name = quote_name(table.name)
    connection.run(f"CREATE TEMPORARY TABLE {name} ({table.structure}) ENGINE = Memory".encode())
    if not table.data:
        return
    with tempfile.NamedTemporaryFile(prefix="external-") as file:
        file.write(table.data)
        file.flush()
        source = f"FROM INFILE {quote(file.name)} COMPRESSION 'none' FORMAT {table.format}"
        connection.run(f"INSERT INTO {name} {source}".encode())


def drop_external(connection: EngineConnection, table: ExternalTable) -> None:
    """Remove it from a connection that goes on."""
    with contextlib.suppress(ServerError):
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {quote_name(table.name)}".encode())
