"""The short form of the kill rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from tests.faults.kills import Kills, kill_round
from tests.faults.report import show

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


def test_nothing_is_lost_and_nothing_shown_twice_while_worker_sink_clickhouse_and_a_broker_are_killed(
    three_brokers: EmbeddedKafka, own_clickhouse: EmbeddedClickHouse, tmp_path: Path
) -> None:
    kills = Kills(worker=5, sink=5, clickhouse=3, broker=1)
    result = kill_round(three_brokers, own_clickhouse, tmp_path, seed=4, events=100_000, kills=kills)
    show([result], None)
    assert result.is_kept, result.wrong
    assert result.events == 100_000
    assert sum(result.faults.get(f"kill -9 of the {what}", 0) for what in ("worker", "sink")) == 10
