"""How many parts the tables have: too many, and questions slow down."""

from __future__ import annotations

import time
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.metrics import TABLES
from sinks.clickhouse.metrics import SinkMetrics

_LOOK_EVERY_S: Final = 10.0
_STATEMENT: Final = (
    "SELECT table, count() FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table"
)


class Parts:
    """Sets the gauge of parts, by table."""

    def __init__(self, metrics: SinkMetrics) -> None:
        self._metrics = metrics
        self._looked = float("-inf")

    def look(self, client: Client) -> None:
        """Look every ten seconds at most; a server that does not answer, or does not show them, changes nothing."""
        if time.monotonic() - self._looked < _LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        try:
            found: dict[str, int] = {table: count for table, count in client.query(_STATEMENT).result_rows}  # noqa: C416 - typed
        except (ClickHouseError, OSError):
            return
        for table in TABLES:
            self._metrics.parts.labels(table).set(found.get(table, 0))
