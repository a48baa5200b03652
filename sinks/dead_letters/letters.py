"""The dead letters that are kept, chosen by where they come from and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, cast

from confluent_kafka import Message

from schemas.dead_letter import DeadLetter, Reason
from schemas.kafka import ClientConfig
from sinks.dead_letters.reading import read_to_end


class Origin(NamedTuple):
    """Where a record lay."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter and its own place: `partition` and `offset` within the topic of the dead letters."""

    partition: int
    offset: int
    letter: DeadLetter

    @property
    def place(self) -> str:
        """Its own place as the command line names it."""
        return f"{self.partition}:{self.offset}"

    @property
    def origin(self) -> Origin:
        """Where the record lay that it holds."""
        return Origin(self.letter.source_topic, self.letter.source_partition, self.letter.source_offset)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; every condition that is given must hold.

    Attributes:
        reasons: any of these.
        topics: topic of origin, any of these.
        partition: of origin.
        since, until: [since, until) of the time they were set aside; aware.
        places: their own (partition, offset), any of these.
    """

    reasons: frozenset[Reason] = frozenset()
    topics: frozenset[str] = frozenset()
    partition: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    places: frozenset[tuple[int, int]] = frozenset()

    def meets(self, stored: StoredLetter) -> bool:
        """Whether a dead letter is meant."""
        letter = stored.letter
        failed_at = datetime.fromisoformat(letter.failed_at)
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.source_topic in self.topics)
            and (self.partition is None or letter.source_partition == self.partition)
            and (self.since is None or failed_at >= self.since)
            and (self.until is None or failed_at < self.until)
            and (not self.places or (stored.partition, stored.offset) in self.places)
        )


@dataclass(slots=True)
class Letters:
    """Iterates over the chosen dead letters, oldest first within a partition.

    Attributes:
        unreadable: records of the topic passed over so far because they are no dead letters.
    """

    cluster: ClientConfig
    topic: str
    choice: Choice = field(default_factory=Choice)
    unreadable: int = 0

    def __iter__(self) -> Iterator[StoredLetter]:
        """Raises what `read_to_end` raises."""
        for message in read_to_end(self.cluster, self.topic):
            stored = self._stored(message)
            if stored is not None and self.choice.meets(stored):
                yield stored

    def _stored(self, message: Message) -> StoredLetter | None:
        partition, offset = message.partition(), message.offset()
        found = cast("list[tuple[str, bytes | None]]", message.headers() or [])
        headers = [(name, value or b"") for name, value in found]
        try:
            letter = DeadLetter.from_message(message.key(), message.value(), headers)
            datetime.fromisoformat(letter.failed_at)
        except (ValueError, TypeError):
            self.unreadable += 1
            return None
        if partition is None or offset is None:
            return None
        return StoredLetter(partition, offset, letter)
