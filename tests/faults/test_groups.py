"""The short form of rebalances, zombies and twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.rebalances import rebalance_round
from tests.faults.report import show
from tests.faults.twins import twin_round
from tests.support.clickhouse_fixtures import ClickHouseServer

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


def test_a_worker_that_wakes_as_a_zombie_after_its_partitions_went_to_another_does_no_harm(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    result = rebalance_round(
        kafka.bootstrap_servers,
        (clickhouse.host, clickhouse.port),
        tmp_path,
        seed=6,
        actions=["join", "pause", "wake"],
    )
    show([result], None)
    assert result.is_kept, result.wrong
    assert len(result.standstill_s) == 3


def test_two_workers_and_two_sinks_on_the_same_partitions_do_no_harm(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    where = clickhouse.host, clickhouse.port
    result = twin_round(kafka.bootstrap_servers, where, tmp_path, seed=7, events=2_000)
    show([result], None)
    assert result.is_kept, result.wrong
    assert result.found["topic visits"].repeated > 0, "nothing was done twice"
