"""The short form of what happens to a broker of three."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.kafka import EmbeddedKafka
from tests.faults.brokers import broker_round
from tests.faults.report import show

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


def test_nothing_is_lost_when_the_coordinator_of_the_group_is_killed_and_when_leaders_move(
    three_brokers: EmbeddedKafka, own_clickhouse: EmbeddedClickHouse, tmp_path: Path
) -> None:
    where = own_clickhouse.host, own_clickhouse.port
    result = broker_round(three_brokers, where, tmp_path, seed=8, acts=["kill_coordinator", "move_leader"])
    show([result], None)
    assert result.is_kept, result.wrong
