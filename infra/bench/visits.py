"""A full visits topic for measurements: made from a seed, with a city's skew, and nobody real in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from schemas.errors import FatalError
from schemas.ids import uuid7
from schemas.kafka import ClientConfig, producer_config
from schemas.topics import Topics

PEOPLE, VENUES = 100_000, 20_000
_CATEGORIES = ("supermarket", "railway", "coach", "catering", "office")


def visit_lines(rows: int, partitions: int, seed: int, until: datetime) -> Iterator[tuple[int, bytes]]:
    """Partition and JSON of visits over the 24 h before `until`, in order of time.

    Args:
        rows: how many.
        partitions: of the scans and the visits; a person's lie in one.
        seed: same seed, same visits.
        until: end of the day.
    """
    rng = random.Random(seed)
    people = [rng.randbytes(16).hex() for _ in range(PEOPLE)]
    step = timedelta(days=1) / rows
    offsets = [0] * partitions
    for number in range(rows):
        at = until - step * (rows - number)
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        who = rng.randrange(PEOPLE)
        venue = int(VENUES ** rng.random())
        partition = who % partitions
        trip = f'{{"vehicle":"V-{venue}","run":"R-{at:%H}","carriage":"3","seat":null}}' if venue % 8 == 0 else "null"
        milliseconds = int(at.timestamp() * 1000)
        yield (
            partition,
            (
                f'{{"scan_id":"{uuid7(milliseconds, rng.getrandbits(74))}","person_token":"{people[who]}",'
                f'"venue_id":"TY-140105-{venue:06d}","point_id":"gate-1","scanned_at":"{text}",'
                f'"direction":"{"leave" if number % 5 == 0 else "enter"}","channel":"phone","trip":{trip},'
                f'"gateway":"gateway-1","category":"{_CATEGORIES[venue % len(_CATEGORIES)]}","area_code":"140105001",'
                f'"lat":{37.8 + venue / 1e5:.6f},"lon":{112.5 + venue / 1e5:.6f},"colour":"green","labels":[],'
                f'"status_version":1,"status_age_s":3600,"decision":"admit","stay_until":"{text}","flags":[],'
                f'"source_topic":"venue.scans.v1","source_partition":{partition},'
                f'"source_offset":{offsets[partition]},"processed_at":"{text}"}}'
            ).encode(),
        )
        offsets[partition] += 1


def fill_visits(cluster: ClientConfig, topics: Topics, rows: int, partitions: int, seed: int = 7) -> None:
    """Put visits on their topic.

    Raises:
        FatalError: a visit was not acknowledged.
    """
    config = producer_config(cluster, linger_ms=50, queue_buffering_max_messages=200_000)
    producer = Producer({**config, "log_level": 2})
    failed: list[str] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            failed.append(str(error))

    until = datetime.now(UTC).replace(microsecond=0)
    for partition, line in visit_lines(rows, partitions, seed, until):
        while True:
            try:
                producer.produce(topics.visits, line, partition=partition, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(60) or failed:
        raise FatalError(f"the visits topic was not filled: {failed[:1]}")
