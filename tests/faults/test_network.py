"""The short form of slow networks, refusing producers, offsets with holes, and a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.disk import disk_round
from tests.faults.holes import compacted_round, transactional_round
from tests.faults.network import ProxiedKafka, network_round, proxied_kafka
from tests.faults.refused import refused_round
from tests.faults.report import Round, show
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.small_disk import NoSmallDiskError

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.clickhouse]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    with proxied_kafka(tmp_path_factory.mktemp("proxied"), log_cleaner_backoff_ms="200") as both:
        yield both


@pytest.fixture
def where(clickhouse: ClickHouseServer) -> tuple[str, int]:
    return clickhouse.host, clickhouse.port


def _kept(result: Round) -> Round:
    show([result], None)
    assert result.is_kept, result.wrong
    return result


def test_a_slow_network_that_breaks_off_loses_nothing(
    proxied: ProxiedKafka, where: tuple[str, int], tmp_path: Path
) -> None:
    assert _kept(network_round(proxied, where, tmp_path, seed=9, cuts=2)).faults["connections cut"] > 4


def test_aborted_scans_are_not_read_and_markers_lose_nothing(
    kafka: EmbeddedKafka, where: tuple[str, int], tmp_path: Path
) -> None:
    result = _kept(transactional_round(kafka.bootstrap_servers, where, tmp_path, seed=10, transactions=9))
    assert result.faults == {"transactions committed": 6, "transactions aborted": 3}


def test_what_compaction_left_of_a_topic_of_scans_comes_through(
    proxied: ProxiedKafka, where: tuple[str, int], tmp_path: Path
) -> None:
    result = _kept(compacted_round(proxied.kafka.bootstrap_servers, where, tmp_path, seed=11, events=10_000))
    assert result.faults["records compacted away"] > 1_000


def test_a_worker_whose_outputs_are_not_taken_ends_without_a_commit_and_loses_nothing(
    kafka: EmbeddedKafka, where: tuple[str, int], tmp_path: Path
) -> None:
    _kept(refused_round(kafka, where, tmp_path, seed=12))


def test_a_full_disk_under_the_broker_loses_nothing(where: tuple[str, int], tmp_path: Path) -> None:
    try:
        _kept(disk_round(where, tmp_path, seed=13, times=1))
    except NoSmallDiskError as error:
        pytest.skip(str(error))
