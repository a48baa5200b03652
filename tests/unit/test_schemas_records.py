"""Records, topics, dead letters and categories: what the other parts rely on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pydantic
import pytest

from schemas.base import format_timestamp, parse_timestamp
from schemas.categories import builtin_categories, read_categories
from schemas.dead_letter import REASONS, DeadLetter
from schemas.exposure_window import ExposureWindow
from schemas.kafka import consumer_config, producer_config
from schemas.topics import Topics, topic_plan


def test_times_keep_their_offset_and_their_milliseconds() -> None:
    shanghai = datetime(2026, 9, 21, 8, 0, 0, 125_000, tzinfo=timezone(timedelta(hours=8)))
    assert format_timestamp(shanghai) == "2026-09-21T08:00:00.125000+08:00"
    assert parse_timestamp(format_timestamp(shanghai)) == shanghai
    assert format_timestamp(shanghai.astimezone(UTC)) == "2026-09-21T00:00:00.125000Z"
    assert format_timestamp(datetime(2026, 9, 21, tzinfo=UTC)) == "2026-09-21T00:00:00Z"


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), "2026-01-01", 1_790_000_000, None, b"2026-01-01T00:00:00Z"])  # noqa: DTZ001
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(value)


def test_a_record_takes_unknown_fields_and_cannot_be_changed() -> None:
    window = ExposureWindow.model_validate_json(
        '{"window_id":"w","venue_id":"v","starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T01:00:00Z",'
        '"title":"","advice":"","source":"","since":"version 2"}'
    )
    assert "since" not in ExposureWindow.field_names()
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        window.title = "x"  # type: ignore[misc]


def test_a_dead_letter_survives_its_headers() -> None:
    letter = DeadLetter(b"\xff", None, "venue.scans.v1", 3, 2**40, "bad_utf8", "2026-01-01T00:00:00Z")
    assert DeadLetter.from_message(b"\xff", None, letter.headers()) == letter


@pytest.mark.parametrize(
    ("name", "value"), [("reason", b"because"), ("source_offset", b"x"), ("source_topic", None), ("reason", b"\xff")]
)
def test_headers_that_make_no_dead_letter_are_told(name: str, value: bytes | None) -> None:
    headers = dict(DeadLetter(None, b"", "t", 0, 0, REASONS[0], "").headers())
    headers.pop(name)
    if value is not None:
        headers[name] = value
    with pytest.raises(ValueError):
        DeadLetter.from_message(None, b"", list(headers.items()))


@pytest.mark.parametrize("replicas", [1, 3])
def test_the_topics_are_laid_out_as_the_worker_needs_them(replicas: int) -> None:
    topics = Topics("t-")
    plan = {
        spec.name: spec for spec in topic_plan(topics, partitions=6, replication_factor=replicas, retention_days=14)
    }
    assert {plan[name].partitions for name in (topics.scans, topics.statuses, topics.visits)} == {6}
    compacted = {name for name, spec in plan.items() if spec.compacted}
    assert compacted == {topics.statuses, topics.venues, topics.replays, topics.exposure_windows}
    assert all(name.startswith("t-") for name in plan)
    assert {spec.replication_factor for spec in plan.values()} == {replicas}
    assert {spec.config["min.insync.replicas"] for spec in plan.values()} == {"1" if replicas == 1 else "2"}
    assert plan[topics.scans].config["retention.ms"] == "1209600000"
    assert {plan[name].partitions for name in topics.all_alerts} == {1}
    assert {name for name, spec in plan.items() if spec.any_partitions} == set(topics.all_alerts)


def test_client_settings_lose_nothing_by_default_and_can_be_overridden() -> None:
    producer = producer_config({"bootstrap.servers": "b:1"}, linger_ms=1)
    assert producer["enable.idempotence"] is True
    assert (producer["acks"], producer["partitioner"], producer["linger.ms"]) == ("all", "murmur2_random", 1)
    consumer = consumer_config({"bootstrap.servers": "b:1"}, "g", auto_offset_reset="error")
    assert consumer["enable.auto.commit"] is False
    assert (consumer["group.id"], consumer["auto.offset.reset"]) == ("g", "error")


def test_every_kind_of_venue_of_the_seed_has_a_stay() -> None:
    categories = builtin_categories()
    assert len(categories) == 44
    assert any(entry.is_vehicle for entry in categories.values())


@pytest.mark.parametrize("line", ["x,名,n,true,0,1", "x,名,n,true,2,1", "x,名,n,true,a,1"])
def test_a_category_with_an_impossible_stay_is_refused(line: str) -> None:
    head = "category,name_zh,name_en,is_vehicle,default_stay_minutes,max_stay_minutes"
    with pytest.raises(ValueError):
        read_categories([head, line])
    with pytest.raises(ValueError, match="column"):
        read_categories([head.replace("name_zh", "name"), "x,名,n,true,1,2"])
