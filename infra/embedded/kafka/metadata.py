"""Whether a cluster answers: a metadata request, as every client begins with."""

from __future__ import annotations

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


class MetadataProbe:
    """Asks a cluster for its brokers.

    Args:
        bootstrap_servers: `host:port` of its brokers, comma-separated.
        timeout_s: seconds to wait for each answer.
    """

    def __init__(self, bootstrap_servers: str, timeout_s: float = 2.0) -> None:
        # A broker that is not up yet is what we ask about, no reason for librdkafka to write to standard error.
        self._client = AdminClient(
            {"bootstrap.servers": bootstrap_servers, "log_level": 0, "reconnect.backoff.max.ms": 200}
        )
        self._timeout_s = timeout_s

    def brokers(self) -> frozenset[int]:
        """The numbers of the brokers that the cluster lists; empty when it does not answer."""
        try:
            return frozenset(self._client.list_topics(timeout=self._timeout_s).brokers)
        except KafkaException:
            return frozenset()
