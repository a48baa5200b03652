"""Fits the TTL of the tables to the retention in force."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.sqlfiles import RetentionRule

_DAYS = re.compile(r"\bTTL .*?toIntervalDay\((\d+)\)", re.DOTALL)


def apply_retention(client: Client, database: str, rules: Iterable[RetentionRule], days: int | None) -> tuple[str, ...]:
    """Give every table the TTL of its rule, or none where `days` is None.

    Rows that are already too old go with the next merge; the statement does not wait for that.

    Returns:
        The tables that had another retention before.
    """
    changed = []
    for rule in rules:
        definition = client.query(
            "SELECT create_table_query FROM system.tables WHERE database = {database:String} AND name = {table:String}",
            parameters={"database": database, "table": rule.table},
        ).result_rows
        if not definition:
            continue  # a table that only its migration knew
        found = _DAYS.search(definition[0][0])
        current = int(found[1]) if found else None
        if current == days:
            continue
        if days is None:
            client.command(f"ALTER TABLE {rule.table} REMOVE TTL")
        else:
            client.command(
                f"ALTER TABLE {rule.table} MODIFY TTL {rule.clause(days)}",
                settings={"materialize_ttl_after_modify": 0, "mutations_sync": 0},
            )
        changed.append(rule.table)
    return tuple(changed)
