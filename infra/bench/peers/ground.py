"""What all peers find: one broker, full topics, the colours, and what the right verdicts are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from infra.bench.peers.contract import DECISIONS, UNKNOWN
from infra.bench.peers.outputs import Digest, Ends, Verdict, digest, read_records
from infra.bench.rounds import tell
from infra.bench.scans import fill_scans
from infra.embedded.kafka import EmbeddedKafka
from infra.topics import apply_topics
from producers.publisher import Publisher
from schemas.errors import FatalError
from schemas.kafka import ClientConfig
from schemas.topics import Topics, TopicSpec, topic_plan

PARTITIONS: Final = 8
TOPICS: Final = Topics()
_COLOURS: Final = "colours.tsv"
_SHORT: Final = "peers.scans.short"
_AT_ONCE: Final = 5_000
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.1
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Input:
    """A full topic of scans, and what its scans must be decided to."""

    topic: str
    expected: Digest


@dataclass(frozen=True, slots=True)
class Ground:
    """A running broker with everything on it.

    Attributes:
        full, short: the scans, and the first of them, for a peer that would take too long.
        colours: a file of `token TAB colour`.
        folder: for logs and for what a peer writes.
    """

    cluster: ClientConfig
    full: Input
    short: Input
    colours: Path
    folder: Path

    @property
    def bootstrap(self) -> str:
        return str(self.cluster["bootstrap.servers"])

    def admin(self) -> AdminClient:
        """A client of its own."""
        return AdminClient(dict(self.cluster))

    def make_output(self, name: str) -> None:
        """An empty topic for the output of one run."""
        apply_topics(self.cluster, [TopicSpec(name, PARTITIONS, 1)])

    def drop(self, name: str) -> None:
        """Remove an output that was checked: the disk is needed for the next. Harmless when that fails."""
        admin = self.admin()
        with suppress(KafkaException):
            admin.delete_topics([name])[name].result()


def ends(admin: AdminClient, topic: str) -> Ends:
    """The next offset of each partition of a topic.

    Raises:
        FatalError: the broker did not say for 20 s; a topic that is quite new has no leaders for a moment.
    """
    wanted = {TopicPartition(topic, number): _LATEST for number in range(PARTITIONS)}
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            found = admin.list_offsets(wanted, request_timeout=10)
            return {partition.partition: future.result().offset for partition, future in found.items()}
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise FatalError(f"the broker did not say where {topic} ends: {error.args[0].str()}") from error
            time.sleep(_PAUSE_S)


@contextmanager
def prepared(events: int, short: int, statuses: int) -> Iterator[Ground]:
    """A broker with full topics; gone at the end, with all that was written.

    Args:
        events: scans on the full topic.
        short: scans on the short one.
        statuses: persons with a status.
    """
    with TemporaryDirectory(prefix="venuecode-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with EmbeddedKafka(folder / "kafka", port=0) as kafka:
            cluster: ClientConfig = {"bootstrap.servers": kafka.bootstrap_servers}
            plan = topic_plan(TOPICS, partitions=PARTITIONS, replication_factor=1, retention_days=14)
            apply_topics(cluster, [*plan, TopicSpec(_SHORT, PARTITIONS, 1)])
            tell(f"filling the topics with {statuses:,} statuses and {events:,} scans")
            fill_scans(cluster, TOPICS, events, statuses)
            colours = _write_colours(cluster, folder / _COLOURS)
            tell("working out what the scans must be decided to")
            full, first = _expected(cluster, colours, short)
            yield Ground(cluster, Input(TOPICS.scans, full), Input(_SHORT, first), folder / _COLOURS, folder)


def _write_colours(cluster: ClientConfig, file: Path) -> dict[str, str]:
    class Status(msgspec.Struct):
        person_token: str
        colour: str

    decoder = msgspec.json.Decoder(Status)
    end = ends(AdminClient(dict(cluster)), TOPICS.statuses)
    statuses = (decoder.decode(value) for _, value in read_records(cluster, TOPICS.statuses, {}, end))
    colours = {status.person_token: status.colour for status in statuses}
    file.write_text("".join(f"{token}\t{colour}\n" for token, colour in colours.items()))
    return colours


def _expected(cluster: ClientConfig, colours: dict[str, str], short: int) -> tuple[Digest, Digest]:
    """The digests of the full topic and of its first scans, which are put on the short one."""

    class Scan(msgspec.Struct):
        scan_id: str
        person_token: str

    decoder = msgspec.json.Decoder(Scan)

    def verdict(value: bytes) -> Verdict:
        scan = decoder.decode(value)
        colour = colours.get(scan.person_token, UNKNOWN)
        return Verdict(scan.scan_id, DECISIONS[colour], colour)

    end = ends(AdminClient(dict(cluster)), TOPICS.scans)
    first = list(islice(read_records(cluster, TOPICS.scans, {}, end), short))
    with Publisher(cluster) as publisher:
        for low in range(0, len(first), _AT_ONCE):
            part = first[low : low + _AT_ONCE]
            publisher.publish_batch(_SHORT, [key or b"" for key, _ in part], [value for _, value in part])
    full = digest(verdict(value) for _, value in read_records(cluster, TOPICS.scans, {}, end))
    return full, digest(verdict(value) for _, value in first)
