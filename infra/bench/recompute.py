"""What a scan must have become, worked out again from the topics with plain dictionaries and no code of `streams`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from schemas.categories import DEFAULT_STAY_MINUTES, builtin_categories
from schemas.errors import FatalError
from schemas.kafka import ClientConfig, consumer_config
from schemas.topics import Topics

Document = dict[str, Any]

_DECISIONS: Final = {"green": "admit", "yellow": "refuse", "red": "isolate", "unknown": "check"}
_TIMES: Final = ("scanned_at", "stay_until")
_READ_S: Final = 60


def compare_visits(cluster: ClientConfig, topics: Topics, begins: Mapping[int, int], sample: int) -> int:
    """Compare visits with what their scans, statuses and venues say they must be, field by field.

    Args:
        cluster: the brokers.
        topics: their names.
        begins: by partition, the offset of the visit of the partition's first scan.
        sample: how many scans of each partition, from its beginning.

    Returns:
        How many visits were compared.

    Raises:
        FatalError: one is another, or missing.
    """
    scans: dict[tuple[int, int], Document] = {}
    visits: dict[tuple[int, int], Document] = {}
    statuses: dict[str, Document] = {}
    venues: dict[str, Document] = {}

    def scanned(message: Any) -> None:
        scans[message.partition(), message.offset()] = json.loads(message.value())

    def visited(message: Any) -> None:
        visit = json.loads(message.value())
        visits[visit["source_partition"], visit["source_offset"]] = visit

    def gave_status(message: Any) -> None:
        if message.key().decode() in persons:
            statuses[message.key().decode()] = json.loads(message.value())

    def registered(message: Any) -> None:
        venues[message.key().decode()] = json.loads(message.value())

    _read(cluster, topics.scans, dict.fromkeys(begins, 0), sample, scanned)
    persons = {scan["person_token"] for scan in scans.values()}
    _read(cluster, topics.visits, begins, sample, visited)
    _read(cluster, topics.statuses, dict.fromkeys(begins, 0), None, gave_status)
    _read(cluster, topics.venues, {0: 0}, None, registered)
    for origin, scan in scans.items():
        expected = expected_visit(
            scan, statuses.get(scan["person_token"]), venues.get(scan["venue_id"]), topics.scans, *origin
        )
        if comparable(visits.get(origin)) != comparable(expected):
            raise FatalError(f"the visit of the scan at {origin} is not what the scan, its status and its venue say")
    return len(scans)


def expected_visit(
    scan: Document, status: Document | None, venue: Document | None, topic: str, partition: int, offset: int
) -> Document:
    """The visit that a scan must have become; status and venue as on their topics, null where there is none."""
    at = datetime.fromisoformat(scan["scanned_at"])
    if status is not None and not (
        datetime.fromisoformat(status["valid_from"]) <= at < datetime.fromisoformat(status["valid_until"])
    ):
        status = None
    category = builtin_categories().get(venue["category"]) if venue is not None else None
    stay = DEFAULT_STAY_MINUTES if category is None else category.default_stay_minutes
    colour = "unknown" if status is None else status["colour"]
    # Milliseconds of a time are kept; what is finer counts for nothing.
    age = None if status is None else _whole_ms(at) - _whole_ms(datetime.fromisoformat(status["issued_at"]))
    place = {name: None if venue is None else venue[name] for name in ("category", "area_code", "lat", "lon")}
    return {
        **scan,
        **place,
        "colour": colour,
        "labels": [] if status is None else status["labels"],
        "status_version": None if status is None else status["version"],
        "status_age_s": None if age is None else age // timedelta(seconds=1),
        "decision": _DECISIONS[colour],
        "stay_until": (at + timedelta(minutes=stay)).isoformat() if scan["direction"] == "enter" else None,
        "flags": [],
        "source_topic": topic,
        "source_partition": partition,
        "source_offset": offset,
    }


def _whole_ms(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def comparable(visit: Document | None) -> Document | None:
    """Without the time of processing, and with times as times."""
    if visit is None:
        return None
    times = {name: visit[name] and datetime.fromisoformat(visit[name]) for name in _TIMES}
    return {name: value for name, value in {**visit, **times}.items() if name != "processed_at"}


def _read(
    cluster: ClientConfig, topic: str, begins: Mapping[int, int], most: int | None, take: Callable[[Any], None]
) -> None:
    """Hand over the records of partitions from an offset on, at most so many of each."""
    consumer: Any = Consumer(consumer_config(cluster, "bench-compare"))
    try:
        places = [TopicPartition(topic, number, begin) for number, begin in begins.items()]
        left = {place.partition: _records(consumer, place, most) for place in places}
        consumer.assign(places)
        while any(left.values()):
            messages = consumer.consume(500, _READ_S)
            if not messages:
                raise FatalError(f"{topic} could not be read to its end")
            for message in _good(messages):
                if left[message.partition()]:
                    left[message.partition()] -= 1
                    take(message)
    finally:
        consumer.close()


def _records(consumer: Any, place: TopicPartition, most: int | None) -> int:
    end: int = consumer.get_watermark_offsets(place, timeout=_READ_S)[1]
    there = end - place.offset
    return there if most is None else min(most, there)


def _good(messages: Iterable[Any]) -> Iterable[Any]:
    return (message for message in messages if message.error() is None)
