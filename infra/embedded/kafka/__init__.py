"""Apache Kafka, the real one, on this machine: downloaded once from Maven Central, run on the JRE of a Python wheel."""

from infra.embedded.kafka.cluster import EmbeddedKafka
from infra.embedded.kafka.jars import ensure_jars
from infra.embedded.kafka.metadata import MetadataProbe

__all__ = ["EmbeddedKafka", "MetadataProbe", "ensure_jars"]
