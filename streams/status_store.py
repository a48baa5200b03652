"""The statuses of the partitions a worker owns: compact, filled from the compacted topic, asked by event time.

A token is 16 bytes and what is known of the person 32 more, in arrays; with the hash table 55 to 58 bytes a person, and
no object each, so that a city of 25 million fits the workers that share it (docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streams.decide import UNKNOWN, StatusView
from streams.statuses.kinds import Kind, Kinds
from streams.statuses.packing import Statuses, Words, keys_of
from streams.statuses.partition import InForce, PartitionStatuses
from streams.statuses.reading import Change, changes_as_columns


class StatusStore:
    """The statuses of all partitions that this worker owns. One thread changes it; any thread looks up."""

    def __init__(self) -> None:
        self.kind_numbers = Kinds()
        self._partitions: dict[int, PartitionStatuses] = {}

    def __len__(self) -> int:
        """Persons with a status, in force or not, in all partitions."""
        return sum(map(len, list(self._partitions.values())))

    @property
    def nbytes(self) -> int:
        """Bytes of all partitions, spare room included."""
        return sum(partition.nbytes for partition in list(self._partitions.values()))

    @property
    def kinds(self) -> Sequence[Kind]:
        """Colour and labels of each kind in `look_up_columns`; 0 is unknown. Grows at its end, and never changes."""
        return self.kind_numbers.known

    def open(self, partition: int) -> None:
        """Begin a partition, empty."""
        self._partitions[partition] = PartitionStatuses()

    def put(self, partition: int, statuses: PartitionStatuses) -> None:
        """Take over a partition that was filled elsewhere with this store's kinds."""
        self._partitions[partition] = statuses

    def partition(self, partition: int) -> PartitionStatuses:
        """One partition.

        Raises:
            KeyError: it is not owned.
        """
        return self._partitions[partition]

    def drop(self, partition: int) -> None:
        """Let go of a partition and its memory."""
        self._partitions.pop(partition, None)

    def apply(self, partition: int, changes: Sequence[Change]) -> int:
        """As `apply_columns`, from records."""
        return self.apply_columns(partition, *changes_as_columns(changes, self.kind_numbers))

    def apply_columns(self, partition: int, keys: Words, statuses: Statuses) -> int:
        """See `PartitionStatuses.apply`; changes of a partition that was dropped meanwhile count for nothing."""
        statuses_here = self._partitions.get(partition)
        return 0 if statuses_here is None else statuses_here.apply(keys, statuses)

    def look_up(self, partition: int, tokens: Sequence[str], at_ms: Sequence[int]) -> list[StatusView]:
        """As `look_up_columns`, as objects."""
        kind, version, issued = (column.tolist() for column in self.look_up_columns(partition, tokens, at_ms))
        kinds = self.kinds
        return [
            StatusView(kinds[number][0], kinds[number][1], revision, issued_ms) if number else UNKNOWN
            for number, revision, issued_ms in zip(kind, version, issued, strict=True)
        ]

    def look_up_columns(
        self, partition: int, tokens: Sequence[str] | bytes, at_ms: Sequence[int] | npt.NDArray[np.int64]
    ) -> InForce:
        """See `PartitionStatuses.look_up`.

        Args:
            partition: of the scans, and so of the statuses.
            tokens: 32 hex digits each, or all of them joined, 16 bytes each.
            at_ms: when each was scanned, epoch milliseconds.

        Raises:
            KeyError: the partition is not owned; its scans must not be decided here.
        """
        return self._partitions[partition].look_up(keys_of(tokens), np.asarray(at_ms, np.int64))
