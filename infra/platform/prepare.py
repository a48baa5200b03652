"""Topics and tables on a platform that has just come up."""

from __future__ import annotations

from infra.platform.state import PlatformState
from infra.settings import ClickHouseSettings, KafkaSettings, RetentionSettings, Settings
from infra.targets import clickhouse_target, kept_days
from infra.topics import apply_topics, plan
from sinks.clickhouse.migrate import Migrator


def settings_for(settings: Settings, state: PlatformState) -> Settings:
    """The settings, pointing at the platform: its addresses, its number of replicas, its retention."""
    kafka = KafkaSettings(
        bootstrap_servers=state.bootstrap_servers,
        topic_prefix=settings.kafka.topic_prefix,
        partitions=settings.kafka.partitions,
        replication_factor=state.brokers,
    )
    clickhouse = ClickHouseSettings(
        port=state.clickhouse_port,
        user=settings.clickhouse.user,
        password=settings.clickhouse.password,
        database=settings.clickhouse.database,
    )
    retention = RetentionSettings(days=state.retention_days or settings.retention.days, analysis=state.analysis)
    return settings.model_copy(update={"kafka": kafka, "clickhouse": clickhouse, "retention": retention})


def prepare(settings: Settings, state: PlatformState) -> None:
    """Create the topics and bring the database to the newest schema; harmless to repeat.

    Raises:
        VenuecodeError: a server refused or did not answer.
    """
    there = settings_for(settings, state)
    apply_topics(there.kafka.librdkafka(), plan(there))
    Migrator(clickhouse_target(there), kept_days(there), timezone=there.timezone).up()
