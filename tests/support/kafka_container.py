"""Apache Kafka's own image under testcontainers, whose Kafka container knows only Confluent's layout of files."""

from __future__ import annotations

from testcontainers.community.kafka import KafkaContainer

_SCRIPT = """#!/bin/sh
export KAFKA_ADVERTISED_LISTENERS={listener}://{host}:{port},BROKER://$(hostname -i):9092
exec /etc/kafka/docker/run
"""


class ApacheKafkaContainer(KafkaContainer):
    """`apache/kafka` in combined mode, reachable from outside at `get_bootstrap_server()`."""

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self.kraft_enabled = True
        self.env.pop("KAFKA_BROKER_ID", None)
        self.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        self.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        self.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")

    def tc_start(self) -> None:
        """The port is known only once the container runs: the start script waits for this file."""
        script = _SCRIPT.format(
            listener=self.listener_name,
            host=self.get_container_host_ip(),
            port=self.get_exposed_port(self.port),
        )
        self.create_file(script.encode(), KafkaContainer.TC_START_SCRIPT)
