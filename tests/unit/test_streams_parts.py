"""Small parts of the worker: brake, alert memory, stall detector, venue directory, credentials, pinned names."""

from __future__ import annotations

import importlib
import importlib.metadata

import faust
import pytest

from schemas.brake import DeadLetterBrake
from schemas.categories import builtin_categories
from schemas.errors import ConfigurationError, FatalError
from streams.alert_memory import AlertMemory
from streams.batching.app import NEVER, BatchApp
from streams.batching.transport import PINNED, Batching, BatchTransport
from streams.cluster import broker_urls, credentials
from streams.venue_directory import VenueDirectory
from streams.watchdog import StallDetector
from tests.support.worker_scans import venue

NOTHING = Batching(frozenset(), {"bootstrap.servers": "127.0.0.1:1"}, pytest.fail)


def test_the_brake_is_pulled_when_more_than_the_share_of_a_full_window_is_bad() -> None:
    brake = DeadLetterBrake("scans", window=100, max_share=0.5)
    brake.add(60, 60)
    with pytest.raises(FatalError, match="80 of the latest 120 records of scans"):
        brake.add(60, 20)


def test_the_brake_judges_only_the_latest_window() -> None:
    brake = DeadLetterBrake("scans", window=100, max_share=0.5)
    for _ in range(50):
        brake.add(10, 5)
    for _ in range(5):
        brake.add(10, 0)
    for _ in range(5):
        brake.add(10, 10)
    with pytest.raises(FatalError):
        brake.add(10, 10)


def test_a_few_bad_records_at_the_start_do_not_pull_the_brake() -> None:
    DeadLetterBrake("scans", window=100, max_share=0.5).add(20, 20)


def test_an_alert_id_is_new_once_and_the_memory_is_bounded() -> None:
    memory = AlertMemory(capacity=2)
    assert [memory.is_new(name) for name in ("a", "a", "b", "a", "c", "a", "b")] == [
        True, False, True, False, True, False, True,
    ]  # fmt: skip


def test_a_committed_offset_that_stands_still_with_work_to_do_is_a_stall() -> None:
    detector: StallDetector[int] = StallDetector(60)
    assert not detector.observe(0, 10, True, 0)
    assert not detector.observe(0, 10, True, 59)
    assert detector.observe(0, 10, True, 60)


@pytest.mark.parametrize(("committed", "has_work"), [(11, True), (10, False)])
def test_progress_or_nothing_to_do_is_no_stall(committed: int, has_work: bool) -> None:
    detector: StallDetector[int] = StallDetector(60)
    detector.observe(0, 10, True, 0)
    assert not detector.observe(0, committed, has_work, 60)
    assert not detector.observe(0, committed, True, 119)
    assert detector.observe(0, committed, True, 120)


def test_how_long_a_partition_stands_still_is_known_before_it_counts_as_a_stall() -> None:
    detector: StallDetector[int] = StallDetector(60)
    for partition, has_work in ((0, True), (1, False), (2, True)):
        detector.observe(partition, 10, has_work, 0)
        detector.observe(partition, 10, has_work, 25)
    assert detector.standing(30) == {0: 30, 2: 30}
    detector.keep_only([0, 1])
    assert detector.standing(30) == {0: 30}


def test_a_partition_that_was_given_away_starts_anew() -> None:
    detector: StallDetector[int] = StallDetector(60)
    detector.observe(0, 10, True, 0)
    detector.forget(0)
    assert not detector.observe(0, 10, True, 100)


def test_the_directory_takes_newer_versions_ignores_older_ones_and_forgets_at_a_tombstone() -> None:
    directory = VenueDirectory(builtin_categories())
    directory.apply("V-1", venue().model_copy(update={"version": 2, "name": "new"}))
    directory.apply("V-1", venue().model_copy(update={"version": 1, "name": "old"}))
    assert directory.look_up(["V-1"])[0].name == "new"
    directory.apply("V-1", None)
    assert directory.look_up(["V-1"])[0].flags == ("unknown_venue",)
    directory.apply("V-1", venue())
    assert directory.look_up(["V-1"])[0].name == "Venue V-1"


def test_faust_gets_the_same_brokers_and_credentials_as_librdkafka() -> None:
    cluster = {
        "bootstrap.servers": "a:1, b:2",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "worker",
        "sasl.password": "secret",
    }
    found = credentials(cluster)
    assert broker_urls(cluster) == ["kafka://a:1", "kafka://b:2"]
    assert isinstance(found, faust.SASLCredentials)
    assert (found.username, found.password, found.mechanism.value) == ("worker", "secret", "SCRAM-SHA-512")
    assert credentials({"bootstrap.servers": "a:1"}) is None


def test_a_sasl_protocol_without_a_password_says_which_setting_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="SASL_PASSWORD"):
        credentials({"bootstrap.servers": "a:1", "security.protocol": "SASL_SSL", "sasl.username": "worker"})


@pytest.mark.parametrize("path", PINNED)
def test_every_private_name_the_transport_leans_on_is_still_there(path: str) -> None:
    module, _, name = path.partition(":")
    owner = getattr(importlib.import_module(module), name)
    missing = [attribute for attribute in PINNED[path] if not hasattr(owner, attribute)]
    assert not missing, f"{path} has lost {missing}: streams/batching/ must be checked against this version of Faust"


def test_the_versions_are_those_the_transport_was_checked_against() -> None:
    found = {name: importlib.metadata.version(name) for name in ("faust-streaming", "aiokafka")}
    assert found["faust-streaming"].startswith("0.15."), found
    assert found["aiokafka"].startswith("0.14."), found


@pytest.mark.parametrize("setting", NEVER)
def test_a_setting_that_loses_records_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting):
        BatchApp("group", NOTHING, **{setting: True})


def test_the_application_uses_the_batch_transport_keeps_nothing_on_disk_and_serves_no_tables() -> None:
    app = BatchApp("group", NOTHING, broker="kafka://127.0.0.1:1")
    assert isinstance(app.transport, BatchTransport)
    assert str(app.conf.store) == "memory:"
    assert not app.conf.web_enabled
    assert not app.conf.topic_allow_declare
