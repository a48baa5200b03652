"""Waits for the inserts that are under way: what they have yet to store is not there for whoever reads now."""

from __future__ import annotations

import time
from typing import Final

from clickhouse_connect.driver.client import Client

from schemas.errors import FatalError

_LONGEST_INSERT_S: Final = 600.0
_RUNNING: Final = "SELECT query_id FROM system.processes WHERE query_kind = 'Insert'"


def wait_for_inserts(client: Client) -> None:
    """Return when every insert that runs at the call has ended; those that begin later are not waited for.

    Raises:
        FatalError: one of them does not end.
    """
    under_way = {query_id for (query_id,) in client.query(_RUNNING).result_rows}
    deadline = time.monotonic() + _LONGEST_INSERT_S
    while under_way.intersection(query_id for (query_id,) in client.query(_RUNNING).result_rows):
        if time.monotonic() > deadline:
            raise FatalError("an insert into ClickHouse does not end: stop the sinks, then run this again")
        time.sleep(0.05)
