"""Which topic this is, so that what was stored of one is never taken for another; and how long it keeps tombstones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from schemas.errors import RetryableError
from schemas.kafka import ClientConfig

_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """A topic of one cluster, from its creation to its deletion.

    Attributes:
        cluster_id, topic, topic_id: Kafka's; a topic deleted and created again has another id.
        tombstones_ms: for how long at least a tombstone can be read after it was written (`delete.retention.ms`).
    """

    cluster_id: str
    topic: str
    topic_id: str
    tombstones_ms: int


def identify(cluster: ClientConfig, topic: str) -> TopicIdentity:
    """Ask the brokers.

    Raises:
        RetryableError: they did not answer, know no ids, or this user may not ask.
    """
    admin = AdminClient({**cluster, "log_level": 3})  # or it tells of events that were on their way when it ended
    try:
        cluster_id = cast("str | None", admin.list_topics(topic, timeout=_TIMEOUT_S).cluster_id)
        described = admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)[topic].result()
        resource = ConfigResource(ResourceType.TOPIC, topic)
        config = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)[resource].result()
        kept = int(config["delete.retention.ms"].value)
    except (KafkaException, KeyError, ValueError, TypeError) as error:
        raise RetryableError(f"the brokers did not tell the identity of {topic}: {error}") from error
    if not cluster_id:
        raise RetryableError("the brokers know no id of their cluster")
    return TopicIdentity(cluster_id, topic, str(described.topic_id), kept)
