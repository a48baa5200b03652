"""What the doctor makes of what it sees, and that each finding says what to do."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra.doctor import CHECKS, Finding, Surroundings, examine
from infra.doctor.clickhouse import migration_finding, require_listener
from infra.doctor.kafka import (
    broker_finding,
    co_partitioning_findings,
    compaction_findings,
    existence_finding,
    leader_finding,
    other_findings,
    replication_findings,
)
from infra.doctor.machine import disk_finding, package_findings, port_finding, python_finding
from infra.doctor.progress import lag_finding
from infra.settings import ClickHouseSettings, KafkaSettings, Settings, SinkSettings, WorkerSettings
from infra.topic_drift import FoundTopic
from schemas.errors import RetryableError
from schemas.topics import Topics, topic_plan

TOPICS = Topics()
SPECS = topic_plan(TOPICS, partitions=4, replication_factor=3, retention_days=14)


def as_planned(**changes: FoundTopic) -> dict[str, FoundTopic]:
    found = {spec.name: FoundTopic(spec.partitions, spec.replication_factor, 0, spec.config) for spec in SPECS}
    return found | {getattr(TOPICS, name): topic for name, topic in changes.items()}


def test_an_old_python_is_a_failure() -> None:
    assert python_finding((3, 11, 0)).state == "ok"
    assert python_finding((3, 10, 9)).state == "fail"


def test_missing_and_wrong_packages_are_named_and_packages_for_developers_are_not_looked_at() -> None:
    required = [Requirement(text) for text in ("a>=2", "b<3", "c", 'd; extra == "dev"', 'e>=1; extra == "embedded"')]
    versions = {"a": "1.9", "b": "2.0", "e": "1.0"}
    found = list(package_findings(required, versions.get))
    assert [(finding.subject, finding.state) for finding in found] == [("package a", "fail"), ("package c", "fail")]
    (well,) = package_findings(required, {**versions, "a": "2.0", "c": "1"}.get)
    assert (well.state, well.meaning) == ("ok", "4 are as required")


@pytest.mark.parametrize(("gib", "state"), [(0.5, "fail"), (2, "warn"), (50, "ok")])
def test_room_on_the_disk(gib: float, state: str) -> None:
    assert disk_finding(Path("data"), int(gib * 2**30)).state == state


def test_a_free_port_is_well_and_one_that_a_stranger_holds_is_not() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        port = stranger.getsockname()[1]
        finding = port_finding("worker", port, "VENUECODE_WORKER__METRICS_PORT")
    assert finding.state == "fail"
    assert "VENUECODE_WORKER__METRICS_PORT" in finding.remedy
    assert port_finding("worker", port, "").state == "ok"
    assert port_finding("worker", 0, "").state == "ok"


class Ping(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quietly."""


def test_a_port_that_answers_as_a_worker_does_is_a_workers() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Ping) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        finding = port_finding("worker", server.server_port, "")
        thread.join()
    assert (finding.state, "runs here" in finding.meaning) == ("ok", True)


def test_fewer_brokers_than_replicas_is_a_failure() -> None:
    assert broker_finding(3, 3).state == "ok"
    assert broker_finding(2, 3).state == "fail"


def test_topics_as_planned_are_well() -> None:
    found = as_planned()
    findings = [
        existence_finding(SPECS, found),
        leader_finding(found),
        *co_partitioning_findings(TOPICS, found),
        *compaction_findings(SPECS, found),
        *replication_findings(SPECS, found),
        *other_findings(SPECS, found),
    ]
    assert [finding.state for finding in findings] == ["ok"] * 5


def test_missing_topics_and_leaders_are_named() -> None:
    finding = existence_finding(SPECS, {})
    assert (finding.state, finding.remedy) == ("fail", "venuecode topics apply")
    assert all(spec.name in finding.meaning for spec in SPECS)
    finding = leader_finding(as_planned(scans=FoundTopic(4, 3, 2)))
    assert (finding.state, "venue.scans.v1 (2)" in finding.meaning) == ("fail", True)


def test_scans_and_statuses_with_different_partitions_are_a_failure_and_the_same_other_number_is_not() -> None:
    (finding,) = co_partitioning_findings(TOPICS, as_planned(statuses=FoundTopic(3, 3)))
    assert finding.state == "fail"
    six = {name: FoundTopic(6, 3) for name in ("scans", "statuses", "visits")}
    (finding,) = co_partitioning_findings(TOPICS, as_planned(**six))
    assert finding.state == "ok"
    assert co_partitioning_findings(TOPICS, {}) == []


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
def test_statuses_that_age_away_are_a_failure(policy: str) -> None:
    (finding,) = compaction_findings(SPECS, as_planned(statuses=FoundTopic(4, 3, 0, {"cleanup.policy": policy})))
    assert finding.state == "fail"


def test_fewer_replicas_than_planned_deserve_a_look() -> None:
    (finding,) = replication_findings(SPECS, as_planned(visits=FoundTopic(4, 1)))
    assert (finding.state, "venue.visits.v1 1" in finding.meaning) == ("warn", True)


def test_other_differences_from_the_plan_deserve_a_look() -> None:
    config = {**SPECS[0].config, "retention.ms": "-1", "max.message.bytes": "1"}
    findings = other_findings(SPECS, as_planned(scans=FoundTopic(5, 3, 0, config)))
    assert [finding.state for finding in findings] == ["warn"] * 3
    assert all(finding.remedy for finding in findings)


def test_pending_migrations_are_a_failure() -> None:
    assert migration_finding([], 4).state == "ok"
    finding = migration_finding(["alerts"], 4)
    assert (finding.state, finding.remedy) == ("fail", "venuecode migrate up")


@pytest.mark.parametrize(
    ("members", "lag", "state"), [(1, 0, "ok"), (0, 0, "ok"), (0, 1, "warn"), (2, 100_000, "ok"), (2, 100_001, "warn")]
)
def test_a_lag_that_nobody_works_on_or_that_is_long_deserves_a_look(members: int, lag: int, state: str) -> None:
    assert lag_finding("worker", "g", members, lag).state == state


def test_what_rests_on_a_failed_check_is_not_looked_at_and_says_so() -> None:
    def broken(_: Surroundings) -> Iterable[Finding]:
        raise RetryableError("no broker")

    def never(_: Surroundings) -> Iterable[Finding]:
        raise AssertionError("was looked at")

    found = list(examine(Surroundings(Settings()), [("Kafka", broken, None), ("topics", never, "Kafka")]))
    assert [(finding.subject, finding.state) for finding in found] == [("Kafka", "fail"), ("topics", "warn")]
    assert found[0].meaning == "no broker"
    assert all(finding.remedy for finding in found)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound, so that nobody else gets it, and at which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_an_empty_machine_is_examined_to_the_end(closed_port: int, tmp_path: Path) -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}"),
        clickhouse=ClickHouseSettings(port=closed_port),
        worker=WorkerSettings(metrics_port=0),
        sink=SinkSettings(metrics_port=0),
        data_dir=tmp_path / "not" / "yet",
    )
    found = {finding.subject: finding for finding in examine(Surroundings(settings, timeout=0.5))}
    assert {name for name, finding in found.items() if finding.state == "fail"} >= {"Kafka", "ClickHouse"}
    assert {name for name, finding in found.items() if finding.state == "warn"} >= {"topics", "migrations", "lag"}
    assert all(finding.remedy for finding in found.values() if finding.state != "ok")
    with pytest.raises(RetryableError, match=str(closed_port)):
        require_listener("127.0.0.1", closed_port, 0.5)


def test_every_check_says_in_its_docstring_what_must_hold() -> None:
    checks: list[Callable[..., object]] = [check for _, check, _ in CHECKS]
    assert all(check.__doc__ for check in checks)
    subjects = [subject for subject, _, _ in CHECKS]
    assert all(needs is None or needs in subjects[:place] for place, (_, _, needs) in enumerate(CHECKS))
