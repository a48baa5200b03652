"""Full topics of scans, statuses and venues for measurements: made from a seed, and nobody real in them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar, get_args

from confluent_kafka import Producer

from schemas.base import Record
from schemas.categories import builtin_categories
from schemas.errors import FatalError
from schemas.fast import encode_batch, struct_of
from schemas.health import Colour, HealthStatus
from schemas.ids import uuid7
from schemas.kafka import ClientConfig, producer_config
from schemas.scan import Scan
from schemas.topics import Topics
from schemas.venue import Point, Venue

R = TypeVar("R", bound=Record)

VENUES = 20_000
_SLICE = 10_000
_COLOURS = get_args(Colour)
_Scan: type[Scan] = struct_of(Scan)
_Status: type[HealthStatus] = struct_of(HealthStatus)
_Venue: type[Venue] = struct_of(Venue)
_Point: type[Point] = struct_of(Point)


@dataclass(frozen=True, slots=True)
class Job:
    """What the scans are like.

    Attributes:
        venues: registered; a few are visited by most.
        yellow, red: share of the persons who have a status.
        unknown: share of the scans that are of a person without one.
    """

    venues: int
    yellow: float
    red: float
    unknown: float


FULL = Job(venues=VENUES, yellow=0.002, red=0.001, unknown=0.01)
"""A city's day: one scan in a hundred raises an alert or asks for a look by hand."""

BARE = Job(venues=200, yellow=0.0, red=0.0001, unknown=0.0)
"""Decoding, a look-up, one record out, and hardly ever an alert: what stream processors are compared by."""


def fill_scans(
    cluster: ClientConfig,
    topics: Topics,
    scans: int,
    statuses: int,
    job: Job = FULL,
    seed: int = 7,
    spoilt_every: int = 0,
) -> None:
    """Put venues, then statuses, then scans of the last hour on their topics.

    With `spoilt_every` each so many-th scan lacks its last brace.

    Raises:
        FatalError: a record was not acknowledged.
    """
    rng = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    people = [rng.randbytes(16).hex() for _ in range(max(1, statuses))]
    strangers = [rng.randbytes(16).hex() for _ in range(len(people) // 100 + 1)]
    venues = (_venue(number, rng) for number in range(job.venues))
    fill_topic(cluster, topics.venues, venues, lambda venue: venue.venue_id)
    fill_topic(
        cluster,
        topics.statuses,
        (_status(person, now, rng, job) for person in people[:statuses]),
        lambda status: status.person_token,
    )
    fill_topic(
        cluster,
        topics.scans,
        (
            _scan(rng.choice(strangers if rng.random() < job.unknown else people), job.venues, now, rng)
            for _ in range(scans)
        ),
        lambda scan: scan.person_token,
        spoilt_every,
    )


def _venue(number: int, rng: random.Random) -> Venue:
    return _Venue(
        venue_id=f"TY-140105-{number:06d}",
        organisation_id=f"organisation-{number % 5000}",
        name=f"小店区场所 {number}",
        category=rng.choice(list(builtin_categories())),
        area_code="140105001",
        address="太原市小店区",
        lat=round(37.7 + rng.random() / 5, 6),
        lon=round(112.5 + rng.random() / 5, 6),
        points=(_Point(point_id="gate-1", name="东门"),),
        status="approved",
        version=1,
    )


def _status(person: str, now: datetime, rng: random.Random, job: Job) -> HealthStatus:
    issued = now - timedelta(hours=2 + 22 * rng.random())
    return _Status(
        person_token=person,
        colour=rng.choices(_COLOURS, (1 - job.yellow - job.red, job.yellow, job.red))[0],
        reason="measurement",
        valid_from=issued,
        valid_until=now + timedelta(days=2),
        version=1,
        issuer="taiyuan-health",
        issued_at=issued,
    )


def _scan(person: str, venues: int, now: datetime, rng: random.Random) -> Scan:
    at = now - timedelta(milliseconds=rng.randrange(3_600_000))
    return _Scan(
        scan_id=uuid7(int(at.timestamp() * 1000), rng.getrandbits(74)),
        person_token=person,
        venue_id=f"TY-140105-{int(venues ** rng.random()):06d}",
        point_id="gate-1",
        scanned_at=at,
        direction="enter" if rng.random() < 0.9 else "leave",
        channel="phone",
        gateway="gateway-1",
    )


def fill_topic(
    cluster: ClientConfig, topic: str, records: Iterator[R], key: Callable[[R], str], spoilt_every: int = 0
) -> None:
    """Put records on a topic, each so many-th without its last byte.

    Raises:
        FatalError: one was not acknowledged.
    """
    failed: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        failed.append(str(error))

    config: dict[str, Any] = {
        **producer_config(cluster, linger_ms=50, queue_buffering_max_messages=1_000_000),
        "delivery.report.only.error": True,
        "on_delivery": delivered,
    }
    producer: Any = Producer(config)
    number = 0
    while part := list(islice(records, _SLICE)):
        while len(producer) > 20 * _SLICE:
            producer.poll(0.05)
        messages = [
            {"key": key(record), "value": value} for record, value in zip(part, encode_batch(part), strict=True)
        ]
        for message in messages:
            number += 1
            if spoilt_every and number % spoilt_every == 0:
                message["value"] = message["value"][:-1]
        if producer.produce_batch(topic, messages) != len(messages):
            raise FatalError(f"{topic} was not filled: the producer refused records")
    if producer.flush(60) or failed:
        raise FatalError(f"{topic} was not filled: {failed[:1]}")
