"""Files for the importers' tests, read as an import reads them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, Unpack

from confluent_kafka import Consumer, TopicPartition

from producers.importers.fields import Kind
from producers.importers.kinds import Meaning, reader_maker
from producers.importers.lines import Lines, decoded
from producers.importers.plan import Circumstances
from producers.importers.reader import Limits
from producers.importers.records import Brake, chunks
from producers.importers.rejects import Rejects
from producers.importers.row import Row
from producers.importers.source import Layout
from producers.importers.times import TimeReader, zone
from schemas.ids import person_token
from schemas.kafka import consumer_config

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEY = bytes(range(32))


def token(person: str) -> str:
    """A person's token with the tests' key."""
    return person_token(KEY, person)


def rows_of(data: bytes, layout: Layout) -> list[Row]:
    """All rows of a file."""
    with decoded(io.BytesIO(data), layout.encoding) as text:
        return list(layout.table(Lines(text)))


class Told(TypedDict, total=False):
    """Fields of `Meaning` that a test sets."""

    columns: dict[str, str | None]
    maps: dict[str, dict[str, str]]
    token_of: Any
    venue_of: Any
    source: str
    keep_versions: bool
    keep_lossy: bool
    default_category: str | None
    valid_for: timedelta | None
    issuer: str
    limits: Limits


def read(
    kind: Kind,
    text: str | bytes,
    *,
    layout: Layout | None = None,
    form: str = "auto",
    tz: str = "UTC",
    shift: timedelta = timedelta(0),
    **told: Unpack[Told],
) -> tuple[list[Any], Counter[str]]:
    """A file's records and rejects; scans of the last 14 days before `NOW` are taken."""
    layout = layout or Layout()
    settings: dict[str, Any] = {"token_of": token, "limits": Limits(NOW, NOW - timedelta(days=14)), **told}
    meaning = Meaning(times=TimeReader(form, zone(tz)), **settings)
    data = text.encode() if isinstance(text, str) else text
    with decoded(io.BytesIO(data), layout.encoding) as stream, Rejects(None) as rejects:
        table = layout.table(Lines(stream))
        reader = reader_maker(kind, meaning)(table, Circumstances(shift, 1, "import-test"))
        found = [
            record
            for chunk in chunks(table, reader, layout.label, rejects, Brake(1.0), size=100)
            for record in chunk.records
        ]
    return found, rejects.by_reason


def read_topic(cluster: Mapping[str, str], topic: str) -> list[bytes]:
    """All values on a topic, from its beginning to its present end."""
    consumer = Consumer(consumer_config(cluster, "tests", enable_partition_eof=True))
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    waiting, values = set(partitions), list[bytes]()
    while waiting:
        for message in consumer.consume(500, timeout=0.1):
            if message.error() is None:
                values.append(message.value() or b"")
            else:
                waiting.discard(message.partition())
    consumer.close()
    return values
