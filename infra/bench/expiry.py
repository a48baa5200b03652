"""Minutes of retention for a soak: what is kept stays as much from then on, so what still grows is no stored data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from infra.settings import Settings
from infra.targets import clickhouse_target
from infra.topics import apply_topics, plan
from sinks.clickhouse.sqlfiles import read_migrations

SEGMENT_MS: Final = 120_000
"""Kafka deletes whole segments, and none that is still written."""
_MERGE_S: Final = 300
"""ClickHouse takes out rows that are too old by merging what they lie in: so often at most (by default every 4 h)."""
_MOVEMENTS: Final = frozenset({"scanned_at", "detected_at"})
"""The columns that a retention of visits and of alerts goes by."""


def keep_minutes(settings: Settings, minutes: float) -> None:
    """Let scans, visits, alerts and dead letters expire after minutes, in topics and tables that are there.

    Topics hold them up to `SEGMENT_MS` and the broker's interval of looking (5 min) longer, tables `_MERGE_S` or more.

    Raises:
        VenuecodeError: the brokers did not take it.
        clickhouse_connect.driver.exceptions.ClickHouseError: ClickHouse did not.
    """
    shorter = {"retention.ms": str(round(minutes * 60_000)), "segment.ms": str(SEGMENT_MS)}
    specs = [
        replace(spec, config={**spec.config, **shorter}) for spec in plan(settings) if "retention.ms" in spec.config
    ]
    apply_topics(settings.kafka.librdkafka(), specs, shorten_retention=True)
    client = clickhouse_target(settings).client()
    try:
        there = {
            name
            for (name,) in client.query("SELECT name FROM system.tables WHERE database = currentDatabase()").result_rows
        }
        rules = {rule.table: rule for migration in read_migrations() for rule in migration.retention_rules()}
        for table, rule in rules.items():
            if table in there and rule.column in _MOVEMENTS:
                client.command(f"ALTER TABLE {table} MODIFY TTL {rule.expiring(f'{round(minutes * 60)} SECOND')}")
                client.command(f"ALTER TABLE {table} MODIFY SETTING merge_with_ttl_timeout = {_MERGE_S}")
    finally:
        client.close()
