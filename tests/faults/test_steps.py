"""The short form: a death at every step, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.report import show
from tests.faults.steps import STEPS, step_round
from tests.support.clickhouse_fixtures import ClickHouseServer

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


def test_a_death_at_any_step_of_the_worker_or_the_sink_loses_nothing_and_shows_nothing_twice(
    kafka: EmbeddedKafka, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    deaths = [(kind, step, 1) for kind, steps in STEPS.items() for step in steps]
    result = step_round(kafka.bootstrap_servers, (clickhouse.host, clickhouse.port), tmp_path, seed=5, deaths=deaths)
    show([result], None)
    assert result.is_kept, result.wrong
    assert sum(result.faults.values()) == len(deaths) == 16
