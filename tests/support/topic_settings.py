"""Settings of a topic, changed while it is in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.kafka import ClientConfig

COMPACT_SOON: Final = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.ms": "200"}
"""A segment is closed by the record after 200 ms, and compacted when the broker looks next, every 15 s."""


def change_topic(cluster: ClientConfig, topic: str, values: Mapping[str, str]) -> None:
    """Change settings of a topic; the others stay as they are."""
    admin: Any = AdminClient({**cluster, "log_level": 2})
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in values.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()
