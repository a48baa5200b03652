"""One partition's statuses in a file: slices of packed rows, each with its checksum, and at the end what they are of.

    magic, slices, end-of-slices, trailer (JSON), length and CRC-32 of the trailer

A slice is its number of rows, its number of superseded statuses and its CRC-32 (little-endian, 4 bytes each), then the
rows (48 bytes each) and the superseded statuses (32 bytes each, numbered from 1 within the slice). The file holds
person tokens: only its owner may read it.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from streams.statuses.kinds import Kind, Kinds
from streams.statuses.packing import EARLIER_WIDTH, WIDTH, Words
from streams.statuses.partition import PartitionStatuses

_MAGIC: Final = b"VCSTAT01"
_SLICE: Final = struct.Struct("<III")
_END: Final = struct.Struct("<II")
_ROWS: Final = 1 << 16
_NO_MORE: Final = _SLICE.pack(0, 0, 0)
_WORD: Final = np.dtype("<u8")


class BadSnapshotError(Exception):
    """The file cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a snapshot is of.

    Attributes:
        cluster_id, topic, topic_id, partition: where its statuses come from.
        next_offset: everything before it is in the snapshot; reading goes on there.
        as_of_ms: epoch milliseconds; when it was taken, everything written until then lay before `next_offset`.
        tombstones_ms: for how long the topic kept tombstones when it was taken.
        persons: rows.
        kinds: colour and labels of the numbers in the rows, from 1.
    """

    cluster_id: str
    topic: str
    topic_id: str
    partition: int
    next_offset: int
    as_of_ms: int
    tombstones_ms: int
    persons: int = 0
    kinds: tuple[Kind, ...] = ()


class SnapshotWriter:
    """Writes a snapshot slice by slice, while its statuses go on changing between two slices.

    A slice is what the statuses are when it is written: changes after `contents.next_offset` may be in it or not. Read
    from `next_offset` on, they are applied again, which changes nothing that is there already. The file appears, or
    takes the place of its predecessor, in one step when it is complete.

    Raises:
        OSError: the file cannot be written; `abandon` leaves nothing behind.
    """

    def __init__(self, path: Path, contents: Contents, statuses: PartitionStatuses, kinds: Kinds) -> None:
        self.contents = contents
        self._path, self._statuses, self._kinds = path, statuses, kinds
        self._partial = path.with_name(path.name + ".partial")
        self._file = _exclusive(self._partial)
        self._file.write(_MAGIC)
        self._at = 0
        self._persons = 0

    def step(self) -> bool:
        """Write the next slice; false when there is no more and the snapshot is complete."""
        if self._at < self._statuses.rows_used:
            rows, earlier = self._statuses.copy(self._at, self._at + _ROWS)
            self._at += _ROWS
            self._persons += len(rows)
            if len(rows):
                self._write(rows, earlier)
            return True
        self._finish()
        return False

    def abandon(self) -> None:
        """Give up; the predecessor stays."""
        self._partial.unlink(missing_ok=True)
        self._file.close()

    def _write(self, rows: Words, earlier: Words) -> None:
        parts = [np.ascontiguousarray(part, _WORD).data for part in (rows, earlier)]
        checksum = zlib.crc32(parts[1], zlib.crc32(parts[0]))
        self._file.write(_SLICE.pack(len(rows), len(earlier), checksum))
        for part in parts:
            self._file.write(part)

    def _finish(self) -> None:
        document = {**asdict(self.contents), "persons": self._persons, "kinds": self._kinds.known[1:]}
        trailer = json.dumps(document).encode()
        self._file.write(_NO_MORE + trailer + _END.pack(len(trailer), zlib.crc32(trailer)))
        self._file.flush()
        self._partial.replace(self._path)
        self._file.close()


def read_contents(file: BinaryIO) -> Contents:
    """What a snapshot is of.

    Raises:
        BadSnapshotError: it is none of this version, or is damaged.
    """
    try:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise BadSnapshotError("it is no snapshot of this version")
        file.seek(-_END.size, os.SEEK_END)
        length, checksum = _END.unpack(file.read(_END.size))
        file.seek(-_END.size - length, os.SEEK_END)
        trailer = file.read(length)
        if zlib.crc32(trailer) != checksum:
            raise BadSnapshotError("its end is damaged")
        document = json.loads(trailer)
        document["kinds"] = tuple((colour, tuple(labels)) for colour, labels in document["kinds"])
        return Contents(**document)
    except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
        raise BadSnapshotError("its end is damaged or missing") from error


def read_statuses(file: BinaryIO, contents: Contents, kinds: Kinds) -> PartitionStatuses:
    """The statuses of a snapshot, kinds numbered as in `kinds`.

    Raises:
        BadSnapshotError: it is damaged.
    """
    statuses = PartitionStatuses()
    numbers = np.array([0, *kinds.numbers(contents.kinds)], np.uint64)
    persons = 0
    file.seek(len(_MAGIC))
    while (head := file.read(_SLICE.size)) != _NO_MORE:
        if len(head) != _SLICE.size:
            raise BadSnapshotError("it ends in mid-slice")
        rows, earlier, checksum = _SLICE.unpack(head)
        if rows > _ROWS or earlier > rows:
            raise BadSnapshotError("a slice is damaged")
        size = _WORD.itemsize * (rows * WIDTH + earlier * EARLIER_WIDTH)
        raw = file.read(size)
        if len(raw) != size or zlib.crc32(raw) != checksum:
            raise BadSnapshotError("a slice is damaged")
        words = np.frombuffer(raw, _WORD).astype(np.uint64)
        at = rows * WIDTH
        statuses.restore(words[:at].reshape(-1, WIDTH), words[at:].reshape(-1, EARLIER_WIDTH), numbers)
        persons += rows
    if persons != contents.persons:
        raise BadSnapshotError("slices are missing")
    return statuses


def _exclusive(path: Path) -> BinaryIO:
    """An empty file that nobody else writes, whatever another process that ended left there.

    Raises:
        BlockingIOError: somebody writes it.
    """
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    file.truncate()
                    return file
            except FileNotFoundError:
                pass  # it was complete, and was renamed, just before the lock was free
        except BaseException:
            file.close()
            raise
        file.close()
