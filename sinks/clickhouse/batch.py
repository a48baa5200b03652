"""A batch: what was read and is to be written, kept as the bytes that lay on the topics."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sinks.clickhouse.routes import Route


@dataclass(slots=True)
class Rows:
    """Records of one topic that are to be inserted, in order.

    Attributes:
        values: as they are to be inserted; none holds a line break.
        blocks: the same as ClickHouse's columns, without those that have none.
        in_blocks: how many are in blocks.
        partitions, offsets: where each record lay.
    """

    topic: str
    values: list[bytes] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    in_blocks: int = 0
    partitions: array[int] = field(default_factory=lambda: array("i"))
    offsets: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.offsets)

    def add(
        self, values: Sequence[bytes], partitions: list[int], offsets: list[int], block: bytes | None = None
    ) -> None:
        """Append records whose values may be there as a block too."""
        self.values.extend(values)
        if block is not None:
            self.blocks.append(block)
            self.in_blocks += len(values)
        self.partitions.extend(partitions)
        self.offsets.extend(offsets)

    @property
    def has_all_blocks(self) -> bool:
        """Whether the blocks are all of it."""
        return self.in_blocks == len(self)

    def records(self) -> Iterator[tuple[bytes, int, int]]:
        """Value, partition and offset of every record."""
        yield from zip(self.values, self.partitions, self.offsets, strict=True)


@dataclass(frozen=True, slots=True)
class Erase:
    """Keys whose rows are to go; comes after the inserts before it, and before those after it."""

    keys: list[str]


@dataclass(slots=True)
class Batch:
    """Everything between two commits.

    Attributes:
        generation: of the assignment it was read under; a batch of an older one is never committed.
        opened_at: monotonic seconds when its first record came.
        full_since: monotonic seconds when it was found full with the batch before it still being written; else 0.
        work: per topic, what to do in order: topics that take turns must not make an insert of every turn.
        next_offsets: what to commit when all of it is acknowledged, by topic and partition.
        first: offset and Kafka's timestamp (epoch ms) of the first record, by topic and partition.
    """

    generation: int
    opened_at: float
    work: dict[str, tuple[Route, list[Rows | Erase]]] = field(default_factory=dict)
    next_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    first: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    rows: int = 0
    bytes: int = 0
    full_since: float = 0.0

    def rows_for(self, route: Route, topic: str) -> Rows:
        """Where the next rows of a topic go."""
        _, steps = self.work.setdefault(topic, (route, []))
        if not steps or not isinstance(steps[-1], Rows):
            steps.append(Rows(topic))
        last = steps[-1]
        assert isinstance(last, Rows)  # noqa: S101 - narrows the type of what was just appended
        return last

    def erase(self, route: Route, topic: str, key: str) -> None:
        """Note a tombstone."""
        _, steps = self.work.setdefault(topic, (route, []))
        if not steps or not isinstance(steps[-1], Erase):
            steps.append(Erase([]))
        last = steps[-1]
        assert isinstance(last, Erase)  # noqa: S101 - narrows the type of what was just appended
        last.keys.append(key)
