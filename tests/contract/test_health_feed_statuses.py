"""Statuses onto their topic, and one person's latest from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from producers.health_feed import find_status, load_statuses
from producers.partitions import partition_of
from producers.publisher import Publisher
from schemas.errors import RetryableError
from tests.support.clusters import PARTITIONS, Cluster


def token(number: int) -> str:
    return f"{number:032x}"


def line(number: int, colour: str = "green", version: int = 1, **changes: Any) -> bytes:
    record = {
        "person_token": token(number),
        "colour": colour,
        "reason": "test",
        "version": version,
        "issuer": "authority",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-01-08T00:00:00+08:00",
        "issued_at": "2026-01-01T00:00:00Z",
    }
    return json.dumps({**record, **changes}).encode()


def load(cluster: Cluster, topic: str, *lines: bytes) -> tuple[int, list[tuple[int, str, bytes]]]:
    rejects: list[tuple[int, str, bytes]] = []
    with Publisher(cluster.config) as publisher:
        report = load_statuses(lines, publisher, topic, on_reject=lambda *reject: rejects.append(reject))
    assert report.rejected == len(rejects)
    return report.published, rejects


def colour_of(cluster: Cluster, topic: str, number: int) -> str | None:
    found = find_status(cluster.config, topic, token(number))
    return None if found is None else found.status.colour


def test_the_latest_status_of_each_person_is_found_in_their_partition(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.statuses)
    feed = [line(number, "green") for number in range(3_000)] + [line(7, "red", 2), line(8, "yellow", 2)]
    assert load(cluster, topic, *feed) == (3_002, [])
    assert [colour_of(cluster, topic, number) for number in (6, 7, 8, 2_999, 3_000)] == [
        *("green", "red", "yellow", "green", None)
    ]
    found = find_status(cluster.config, topic, token(7))
    assert found is not None
    assert found.partition == partition_of(token(7).encode(), PARTITIONS)
    assert (found.status.version, found.status.reason) == (2, "test")


def test_bad_lines_are_rejected_with_their_number_and_reason_and_the_others_are_published(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.statuses)
    feed = [line(1), b"", b"{", line(2, "blue"), line(3) + b"\r\n", b"\xff", line(4, reason=None), b"   "]
    published, rejects = load(cluster, topic, *feed)
    assert published == 2
    assert [(number, reason) for number, reason, _ in rejects] == [
        (3, "not_json"),
        (4, "unknown_value: colour"),
        (6, "bad_utf8: byte 0"),
        (7, "wrong_type: reason"),
    ]
    assert rejects[0][2] == b"{"
    assert [colour_of(cluster, topic, number) for number in (1, 2, 3)] == ["green", None, "green"]


def test_an_older_version_and_a_broken_record_change_nothing_and_a_tombstone_erases(cluster: Cluster) -> None:
    topic = cluster.topic(cluster.topics.statuses)
    load(cluster, topic, line(1, "red", 5), line(1, "green", 4))
    assert colour_of(cluster, topic, 1) == "red"
    with Publisher(cluster.config) as publisher:
        publisher.publish(topic, token(1).encode(), b"broken")
    assert colour_of(cluster, topic, 1) == "red"
    with Publisher(cluster.config) as publisher:
        publisher.publish(topic, token(1).encode(), None)
    assert colour_of(cluster, topic, 1) is None
    load(cluster, topic, line(1, "yellow", 1))
    assert colour_of(cluster, topic, 1) == "yellow"


def test_a_topic_that_is_not_there_is_told(cluster: Cluster) -> None:
    with pytest.raises(RetryableError, match="venuecode topics apply"):
        find_status(cluster.config, cluster.prefix + "none", token(1))
