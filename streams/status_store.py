"""The statuses of the partitions a worker owns: compact, filled from the compacted topic, asked by event time.

A token is 16 bytes in a hash table made of arrays; what is known of it is a row of an array. About 80 bytes a person
and no object each, so that a city of 25 million fits the workers that share it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final, cast

import hirola
import numpy as np
import numpy.typing as npt

from schemas.fast import epoch_ms
from schemas.health import EffectiveColour, HealthStatus
from streams.decide import UNKNOWN, StatusView

_KEY: Final = np.dtype("V16")
_ROW: Final = np.dtype(
    [("colour", "u1"), ("labels", "u4"), ("version", "i8"), ("since", "i8"), ("until", "i8"), ("issued", "i8")]
)
_COLOURS: Final[tuple[EffectiveColour, ...]] = ("unknown", "green", "yellow", "red")
_CODES: Final = {colour: code for code, colour in enumerate(_COLOURS)}
_ERASED: Final = 0
_FILL: Final = 0.62
_SMALLEST: Final = 1024
_NONE: Final = -1

Rows = npt.NDArray[Any]
Change = tuple[str, HealthStatus | None]
"""A person token and the status it now has; null where a tombstone erased the person."""


class PartitionStatuses:
    """The statuses of one partition, of each person the latest version and the one it superseded.

    One thread applies changes while another looks up; both hold the lock for a batch.
    """

    def __init__(self, labels: LabelSets) -> None:
        self._labels = labels
        self._lock = threading.Lock()
        self._table: Any = hirola.HashTable(_SMALLEST, _KEY)
        self._current: Rows = np.zeros(_SMALLEST, _ROW)
        self._earlier_at: npt.NDArray[np.int32] = np.full(_SMALLEST, _NONE, np.int32)
        self._earlier: Rows = np.zeros(_SMALLEST, _ROW)
        self._earlier_used = 0

    def __len__(self) -> int:
        """Persons ever seen, erased ones included."""
        return len(self._table)

    def apply(self, changes: Sequence[Change]) -> None:
        """Take over changes in the order of their offsets.

        A status whose `version` is older than the one known is ignored; after a tombstone any version is taken (as if
        the person had never been known: compaction may have removed both).
        """
        if not changes:
            return
        keys = keys_of([token for token, _ in changes])
        rows = self._rows([status for _, status in changes])
        with self._lock:
            self._reserve(len(changes))
            slots = cast("npt.NDArray[np.intp]", self._table.add(keys))
            while len(slots):
                # Array assignment knows no order among equal slots: one change per person a round.
                _, firsts = np.unique(slots, return_index=True)
                self._write(slots[firsts], rows[firsts])
                if len(firsts) == len(slots):
                    break
                slots, rows = np.delete(slots, firsts), np.delete(rows, firsts)

    def look_up(self, tokens: Sequence[str], at_ms: Sequence[int]) -> list[StatusView]:
        """The status in force of each person at a time of their own (epoch milliseconds).

        The latest version where it was in force; the one it superseded where the latest began only afterwards and the
        superseded one was in force then; else unknown.
        """
        if not tokens:
            return []
        at = np.array(at_ms, np.int64)
        with self._lock:
            slots = self._table.get(keys_of(tokens))
            rows = self._current[slots]
            known = (slots >= 0) & (rows["colour"] != _ERASED)
            earlier_at = self._earlier_at[slots]
            superseded = known & (rows["since"] > at) & (earlier_at != _NONE)
            if superseded.any():
                rows[superseded] = self._earlier[earlier_at[superseded]]
        rows["colour"][~(known & (rows["since"] <= at) & (at < rows["until"]))] = _ERASED
        names, labels = _COLOURS, self._labels.sets
        return [
            StatusView(names[colour], labels[label], version, issued) if colour else UNKNOWN
            for colour, label, version, issued in zip(
                rows["colour"].tolist(),
                rows["labels"].tolist(),
                rows["version"].tolist(),
                rows["issued"].tolist(),
                strict=True,
            )
        ]

    def _rows(self, statuses: Sequence[HealthStatus | None]) -> Rows:
        number = self._labels.number
        return np.array(
            [
                (_ERASED, 0, _NONE, 0, 0, 0)
                if status is None
                else (
                    _CODES[status.colour],
                    number(status.labels),
                    status.version,
                    epoch_ms(status.valid_from),
                    epoch_ms(status.valid_until),
                    epoch_ms(status.issued_at),
                )
                for status in statuses
            ],
            _ROW,
        )

    def _write(self, slots: npt.NDArray[np.intp], rows: Rows) -> None:
        """Take over one change each of different persons."""
        before = self._current[slots]
        lives, erases = before["colour"] != _ERASED, rows["colour"] == _ERASED
        taken = erases | ~lives | (rows["version"] >= before["version"])
        supersedes = taken & lives & ~erases & (rows["version"] > before["version"])
        self._keep_earlier(slots[supersedes], before[supersedes])
        self._earlier_at[slots[erases]] = _NONE
        self._current[slots[taken]] = rows[taken]

    def _keep_earlier(self, slots: npt.NDArray[np.intp], rows: Rows) -> None:
        fresh = slots[self._earlier_at[slots] == _NONE]
        end = self._earlier_used + len(fresh)
        if end > len(self._earlier):
            self._earlier = _grown(self._earlier, max(end, 2 * len(self._earlier)))
        self._earlier_at[fresh] = np.arange(self._earlier_used, end, dtype=np.int32)
        self._earlier_used = end
        self._earlier[self._earlier_at[slots]] = rows

    def _reserve(self, more: int) -> None:
        """Make room for `more` new persons."""
        needed = len(self._table) + more
        if needed <= self._table.max * _FILL:
            return
        size = max(int(needed / _FILL) + 1, 2 * self._table.max)
        self._table.resize(size, in_place=True)
        rows = int(size * _FILL) + 1
        used = len(self._current)
        self._current = _grown(self._current, rows)
        earlier_at = np.full(rows, _NONE, np.int32)
        earlier_at[:used] = self._earlier_at
        self._earlier_at = earlier_at


class LabelSets:
    """Numbers for sets of labels: there are few different ones, so a row holds a number. Grows, never shrinks."""

    def __init__(self) -> None:
        self.sets: list[tuple[str, ...]] = [()]
        self._numbers: dict[tuple[str, ...], int] = {(): 0}

    def number(self, labels: tuple[str, ...]) -> int:
        """The number of a set; `sets[number]` is the set."""
        found = self._numbers.get(labels)
        if found is None:
            self.sets.append(labels)
            found = self._numbers[labels] = len(self.sets) - 1
        return found


class StatusStore:
    """The statuses of all partitions that this worker owns."""

    def __init__(self) -> None:
        self._labels = LabelSets()
        self._partitions: dict[int, PartitionStatuses] = {}

    def __len__(self) -> int:
        """Persons ever seen, in all partitions."""
        return sum(map(len, list(self._partitions.values())))

    def open(self, partition: int) -> None:
        """Begin a partition, empty."""
        self._partitions[partition] = PartitionStatuses(self._labels)

    def drop(self, partition: int) -> None:
        """Let go of a partition and its memory."""
        self._partitions.pop(partition, None)

    def apply(self, partition: int, changes: Sequence[Change]) -> None:
        """See `PartitionStatuses.apply`; changes of a partition that was dropped meanwhile count for nothing."""
        statuses = self._partitions.get(partition)
        if statuses is not None:
            statuses.apply(changes)

    def look_up(self, partition: int, tokens: Sequence[str], at_ms: Sequence[int]) -> list[StatusView]:
        """See `PartitionStatuses.look_up`.

        Raises:
            KeyError: the partition is not owned; its scans must not be decided here.
        """
        return self._partitions[partition].look_up(tokens, at_ms)


def keys_of(tokens: Sequence[str]) -> npt.NDArray[Any]:
    """Tokens (32 hex digits each) as 16 bytes each."""
    return np.frombuffer(bytes.fromhex("".join(tokens)), _KEY)


def _grown(rows: Rows, size: int) -> Rows:
    larger = np.zeros(size, rows.dtype)
    larger[: len(rows)] = rows
    return larger
