"""Fixtures that start Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.embedded.kafka import EmbeddedKafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One real broker for the session; tests tell their topics apart by a prefix of their own."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), port=0) as cluster:
        yield cluster
