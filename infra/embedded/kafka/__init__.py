"""Apache Kafka, the real one, on this machine: downloaded once from Maven Central, run on the JRE of a Python wheel."""

from infra.embedded.kafka.cluster import EmbeddedKafka

__all__ = ["EmbeddedKafka"]
