"""Servers that a fault round may kill: nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka


@pytest.fixture(scope="package")
def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """Three brokers that may be killed and started again."""
    with EmbeddedKafka(tmp_path_factory.mktemp("three"), brokers=3, port=0) as cluster:
        yield cluster
        for number in range(3):
            cluster.kill_broker(number)  # quicker than stopping the last of them without a quorum


@pytest.fixture(scope="package")
def own_clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """A ClickHouse process that may be killed and started again."""
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse"), port=0) as server:
        yield server
