"""The doctor on real servers: before they are prepared, afterwards, and with work that nobody does."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from infra.doctor import Surroundings, examine
from infra.settings import ClickHouseSettings, KafkaSettings, Settings, SinkSettings, WorkerSettings
from infra.topics import apply_topics, plan
from producers.publisher import Publisher
from sinks.clickhouse.migrate import Migrator

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]


@pytest.fixture
def settings(kafka: Any, clickhouse: Any, clickhouse_database: str, tmp_path: Path) -> Settings:
    name = uuid.uuid4().hex[:12]
    return Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"d{name}.", partitions=2),
        clickhouse=ClickHouseSettings(host=clickhouse.host, port=clickhouse.port, database=clickhouse_database),
        worker=WorkerSettings(group=f"worker-{name}", metrics_port=0),
        sink=SinkSettings(group=f"sink-{name}", metrics_port=0),
        data_dir=tmp_path,
    )


def states(settings: Settings) -> dict[str, str]:
    return {finding.subject: finding.state for finding in examine(Surroundings(settings))}


def test_servers_are_failing_until_they_are_prepared_and_well_afterwards(settings: Settings) -> None:
    before = states(settings)
    assert (before["Kafka"], before["topics"]) == ("ok", "fail")
    assert (before["ClickHouse"], before["migrations"]) == ("ok", "fail")
    specs = plan(settings)
    apply_topics(settings.kafka.librdkafka(), specs)
    Migrator(Surroundings(settings).clickhouse, settings.retention.days).up()
    after = states(settings)
    for subject in (
        *("Kafka", "topics", "leaders", "co-partitioning", "compaction", "replication"),
        *("ClickHouse", "migrations", "worker lag", "sink lag"),
    ):
        assert after[subject] == "ok", subject
    with Publisher(settings.kafka.librdkafka()) as publisher:
        publisher.publish(settings.kafka.topics().scans, b"k", b"v")
    assert states(settings)["worker lag"] == "warn"


def test_the_command_tells_the_same_and_its_exit_code_counts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENUECODE_KAFKA__BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers)
    monkeypatch.setenv("VENUECODE_KAFKA__TOPIC_PREFIX", settings.kafka.topic_prefix)
    monkeypatch.setenv("VENUECODE_CLICKHOUSE__PORT", str(settings.clickhouse.port))
    monkeypatch.setenv("VENUECODE_CLICKHOUSE__DATABASE", settings.clickhouse.database)
    monkeypatch.setenv("VENUECODE_WORKER__METRICS_PORT", "0")
    monkeypatch.setenv("VENUECODE_SINK__METRICS_PORT", "0")
    app = build_app(("doctor", "topics"))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    found = {entry["subject"]: entry for entry in json.loads(result.stdout)["findings"]}
    assert found["topics"]["remedy"] == "venuecode topics apply"
    planned = CliRunner().invoke(app, ["topics", "plan", "--json"])
    assert {action["kind"] for action in json.loads(planned.stdout)["actions"]} == {"create"}
    assert CliRunner().invoke(app, ["topics", "apply"]).exit_code == 0
    assert json.loads(CliRunner().invoke(app, ["topics", "apply", "--json"]).stdout)["actions"] == []
    again = CliRunner().invoke(app, ["doctor"])
    assert again.exit_code == 1, "the migrations are still pending"
    assert "venuecode migrate up" in again.stdout
