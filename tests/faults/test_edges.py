"""The short form of offsets with holes, and of a producer that cannot send."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.holes import transactional_round
from tests.faults.refused import refused_round
from tests.faults.report import show
from tests.support.clickhouse_fixtures import ClickHouseServer

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


def test_aborted_scans_are_not_read_and_markers_lose_nothing(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    where = clickhouse.host, clickhouse.port
    result = transactional_round(kafka.bootstrap_servers, where, tmp_path, seed=10, transactions=9)
    show([result], None)
    assert result.is_kept, result.wrong
    assert result.faults == {"transactions committed": 6, "transactions aborted": 3}


def test_a_worker_whose_outputs_are_not_taken_ends_without_a_commit_and_loses_nothing(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    result = refused_round(kafka, (clickhouse.host, clickhouse.port), tmp_path, seed=12)
    show([result], None)
    assert result.is_kept, result.wrong
