"""Compares what is in Kafka and in ClickHouse with the ledger, record by record."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.kafka import ClientConfig, consumer_config
from schemas.topics import Topics
from tests.faults.ledger import Ledger, Place
from tests.faults.load import epoch_ms, raw_fingerprint, visit_fingerprints
from tests.faults.report import Count

K = TypeVar("K")
_COMMON = "person_token, venue_id, point_id, toString(direction), toString(colour), toString(category)"
_QUIET_S = 30.0
_LEVELS = ("red", "yellow", "review")


def compare(expected: Mapping[K, object], found: Iterable[tuple[K, object]]) -> Count:
    """Every identity once, with the content it must have; more of the same counts as repeated."""
    seen: set[K] = set()
    result = Count(expected=len(expected))
    for identity, content in found:
        if identity not in expected or expected[identity] != content:
            result.extra += 1
        elif identity in seen:
            result.repeated += 1
        else:
            seen.add(identity)
    result.missing = len(expected) - len(seen)
    return result


def kafka_found(cluster: ClientConfig, topics: Topics, ledger: Ledger) -> dict[str, Count]:
    """What lies on the topics of the visits, the alerts and the dead letters, committed records only."""
    found = {
        "topic visits": compare(
            {place: good.visit for place, good in ledger.good.items()},
            (_visit(message.value()) for message in read(cluster, topics.visits)),
        )
    }
    alerts = ledger.alerts
    for level in _LEVELS:
        found[f"topic alerts {level}"] = compare(
            dict.fromkeys(alerts[level]),
            (
                (json.loads(message.value())["alert_id"], None)
                for message in read(cluster, topics.alerts(level))  # type: ignore[arg-type]
            ),
        )
    found["topic dead letters"] = compare(
        {place: (bad.letter, bad.reason) for place, bad in ledger.bad.items()},
        (_letter(message, topics.scans) for message in read(cluster, topics.dead_letters)),
    )
    return found


def clickhouse_found(client: Any, ledger: Ledger) -> dict[str, Count]:
    """What the views show: both orders of the visits, and the alerts."""
    visits = _rows(client, f"{_COMMON}, toString(scan_id), channel, gateway, decision", "all_visits")
    by_place = _rows(client, _COMMON, "all_visits_by_place")
    found = {
        "table visits": compare({place: good.visit for place, good in ledger.good.items()}, visits),
        "table visits by place": compare({place: good.by_place for place, good in ledger.good.items()}, by_place),
    }
    alerts = ledger.alerts
    stored = client.query("SELECT alert_id, toString(level) FROM all_alerts").result_rows
    for level in _LEVELS:
        ids = ((identity, None) for identity, found_level in stored if found_level == level)
        found[f"table alerts {level}"] = compare(dict.fromkeys(alerts[level]), ids)
    return found


def read(cluster: ClientConfig, *names: str) -> Iterator[Any]:
    """All committed messages of topics, from their beginning to their present end."""
    reader = consumer_config(cluster, f"faults-{uuid.uuid4().hex[:8]}", enable_partition_eof=True)
    consumer: Any = Consumer({**reader, "isolation.level": "read_committed", "log_level": 2})
    try:
        topics = consumer.list_topics(timeout=30).topics
        places = [
            TopicPartition(name, number, OFFSET_BEGINNING) for name in names for number in topics[name].partitions
        ]
        consumer.assign(places)
        left = len(places)
        deadline = time.monotonic() + _QUIET_S
        while left:
            messages = consumer.consume(500, 0.1)
            if messages:
                deadline = time.monotonic() + _QUIET_S
            elif time.monotonic() > deadline:
                raise TimeoutError(f"{names} could not be read to the end")
            for message in messages:
                if message.error() is None:
                    yield message
                else:
                    left -= 1
    finally:
        consumer.close()


def _visit(value: bytes) -> tuple[Place, bytes]:
    visit = json.loads(value)
    print_, _ = visit_fingerprints({**visit, "category": visit["category"] or ""}, epoch_ms(visit["scanned_at"]))
    return (visit["source_partition"], visit["source_offset"]), print_


def _letter(message: Any, scans: str) -> tuple[Place, tuple[bytes, str]]:
    headers = {name: value.decode() for name, value in message.headers()}
    partition = int(headers["source_partition"]) if headers["source_topic"] == scans else -1  # nobody's: an extra one
    content = (raw_fingerprint(message.key(), message.value()), headers["reason"])
    return (partition, int(headers["source_offset"])), content


def _rows(client: Any, columns: str, view: str) -> Iterator[tuple[Place, bytes]]:
    statement = (
        f"SELECT source_partition, source_offset, toUnixTimestamp64Milli(scanned_at), {columns} FROM {view} "
        "ORDER BY source_partition, source_offset"
    )
    names = ("person_token", "venue_id", "point_id", "direction", "colour", "category")
    more = ("scan_id", "channel", "gateway", "decision")
    with client.query_rows_stream(statement) as rows:
        for partition, offset, at_ms, *fields in rows:
            visit = dict(zip((*names, *more), [*fields, *[""] * len(more)], strict=False))
            whole, by_place = visit_fingerprints(visit, at_ms)
            yield (partition, offset), whole if len(fields) > len(names) else by_place
