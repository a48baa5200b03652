"""What was put back already: one mark for each record, under its place of origin, on a compacted topic."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from schemas.kafka import ClientConfig
from sinks.dead_letters.letters import Origin
from sinks.dead_letters.reading import read_to_end


@dataclass(frozen=True, slots=True)
class Mark:
    """A record that was put back.

    Attributes:
        origin: where it lay when it could not be processed.
        to: where it lies now.
        replays: how often it has been put back, this time included.
        at: when.
    """

    origin: Origin
    to: Origin
    replays: int
    at: datetime

    def key(self) -> bytes:
        """The record's key on the topic of the marks."""
        return str(self.origin).encode()

    def value(self) -> bytes:
        """The record's value, JSON."""
        return json.dumps(
            {"origin": self.origin, "to": self.to, "replays": self.replays, "at": self.at.isoformat()}
        ).encode()

    @classmethod
    def from_value(cls, value: bytes) -> Mark:
        """Read a mark back."""
        found = json.loads(value)
        at = datetime.fromisoformat(found["at"])
        return cls(Origin(*found["origin"]), Origin(*found["to"]), found["replays"], at)


@dataclass(slots=True)
class Marks:
    """All marks, by where the records lay, and by where they lie now."""

    by_origin: dict[Origin, Mark] = field(default_factory=dict)
    by_place: dict[Origin, Mark] = field(default_factory=dict)

    def add(self, mark: Mark) -> None:
        """Take note of a mark."""
        self.by_origin[mark.origin] = mark
        self.by_place[mark.to] = mark

    def replays(self, origin: Origin) -> int:
        """How often the record that lay there had been put back before it was set aside there."""
        mark = self.by_place.get(origin)
        return 0 if mark is None else mark.replays

    @classmethod
    def read(cls, cluster: ClientConfig, topic: str) -> Marks:
        """Every mark on the topic. Raises what `read_to_end` raises."""
        marks = cls()
        for message in read_to_end(cluster, topic):
            value = message.value()
            if value is not None:
                marks.add(Mark.from_value(value))
        return marks
