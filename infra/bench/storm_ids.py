"""Which alerts a storm must have raised, recomputed from the visits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import Consumer, TopicPartition

from infra.bench.place import Place
from infra.bench.rounds import tell
from infra.lag import topic_ends
from schemas.kafka import consumer_config


class _Visit(msgspec.Struct):
    person_token: str
    venue_id: str
    colour: str
    scanned_at: str


class _Alert(msgspec.Struct):
    alert_id: str


def recompute_ids(place: Place) -> tuple[int, int, int, int]:
    """Visits; yellow alerts, their different ids; and how many ids there must be: person, venue, dedupe window."""
    topics, window_ms = place.stack.topics, place.stack.settings.worker.dedupe_minutes * 60_000
    visits, pairs = 0, set()
    decoder = msgspec.json.Decoder(_Visit)
    for value in _values(place, topics.visits):
        visits += 1
        if b'"colour":"yellow"' in value:
            visit = decoder.decode(value)
            at_ms = int(np.datetime64(visit.scanned_at.rstrip("Z"), "ms").astype(np.int64))
            pairs.add((visit.person_token, visit.venue_id, at_ms // window_ms))
    alerts = [msgspec.json.decode(value, type=_Alert).alert_id for value in _values(place, topics.alerts("yellow"))]
    tell(f"  {visits:,} visits, {len(alerts):,} yellow alerts, {len(pairs):,} ids expected")
    return visits, len(alerts), len(set(alerts)), len(pairs)


def _values(place: Place, topic: str) -> Iterator[bytes]:
    ends = topic_ends(place.stack.admin, topic).latest
    consumer: Any = Consumer(consumer_config(place.stack.settings.kafka.librdkafka(), "bench-recompute"))
    left = sum(ends.values())
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in ends])
        while left > 0:
            for message in consumer.consume(1000, timeout=1):
                if message.error() is None:
                    left -= 1
                    yield message.value()
    finally:
        consumer.close()
