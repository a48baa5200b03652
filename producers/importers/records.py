"""From rows to records ready to be sent, a chunk at a time, checked by the decoder that their readers will use."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from producers.importers.reader import RowReader
from producers.importers.rejects import Rejects
from producers.importers.row import Row, RowRejected, check_damage, meaning_of
from producers.importers.table import Table
from schemas.errors import FatalError, RejectError
from schemas.fast import FastDecoder, encode_batch

CHUNK_ROWS: Final = 5_000
JUDGED_AFTER: Final = 1_000
"""Rows before which a share of bad ones says little, unless the file ends there."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of consecutive rows.

    Attributes:
        rows: of the file up to and with this chunk, rejected ones included.
        keys, values: of the records, in the order of the rows.
        records: the same as Structs.
    """

    rows: int
    keys: list[bytes]
    values: list[bytes]
    records: list[Any]


class TooManyRejectsError(FatalError):
    """So many rows are bad that the mapping is more likely to be wrong than they are."""


class Brake:
    """Stops an import whose rows are mostly bad: a column mapped wrongly, another date format, another encoding.

    Args:
        share: of all rows, above which to stop; 1 never stops.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def check(self, rejects: Rejects, rows: int, *, at_end: bool) -> None:
        """Stop when too many of the rows so far are bad.

        Raises:
            TooManyRejectsError: saying how many, why, and what to look at.
        """
        if rows == 0 or (rows < JUDGED_AFTER and not at_end) or rejects.total <= self._share * rows:
            return
        why = "; ".join(
            f"{count:,} {reason} ({meaning_of(reason)})" for reason, count in rejects.by_reason.most_common(3)
        )
        place = f"They are in {rejects.path} with their lines. " if rejects.path is not None else ""
        raise TooManyRejectsError(
            f"{rejects.total:,} of the first {rows:,} rows are bad, more than {self._share:.0%}: {why}. {place}Look at"
            " the columns, the time format, the encoding and the delimiter (--dry-run shows rows as they would be"
            " sent), or allow more with --max-bad"
        )


def chunks(
    table: Table, reader: RowReader, label: str, rejects: Rejects, brake: Brake, size: int = CHUNK_ROWS
) -> Iterator[Chunk]:
    """A file as chunks of records; every row is in one of them or among the rejects. A chunk comes after its judgement.

    Args:
        table: the rows.
        reader: of this kind of file.
        label: of the encoding, for a reason.
        rejects: takes the bad rows.
        brake: judges their share.
        size: rows of a chunk.

    Raises:
        TooManyRejectsError: see `Brake`.
    """
    decoder: FastDecoder[Any] = FastDecoder(reader.model)
    source = iter(table)
    count = 0
    while rows := list(itertools.islice(source, size)):
        count += len(rows)
        bad: list[tuple[Row, str]] = []
        chunk = _chunk(rows, count, reader, decoder, label, bad)
        for row, reason in sorted(bad, key=lambda entry: entry[0].line):
            rejects.add(row, reason)
        brake.check(rejects, count, at_end=len(rows) < size)
        yield chunk
    brake.check(rejects, count, at_end=True)


def _chunk(
    rows: list[Row], count: int, reader: RowReader, decoder: FastDecoder[Any], label: str, bad: list[tuple[Row, str]]
) -> Chunk:
    taken, drafts = [], []
    for row in rows:
        try:
            check_damage(row, label)
            drafts.append(reader.read(row))
            taken.append(row)
        except RowRejected as rejected:
            bad.append((row, rejected.reason))
    keys, records = reader.finish(drafts)
    values = encode_batch(records)
    if decoder.decode_batch(values) is None:
        good = []
        for index, value in enumerate(values):
            try:
                decoder.decode(value)
                good.append(index)
            except RejectError as refused:
                bad.append((taken[index], refused.reason))
        keys, records, values = ([part[index] for index in good] for part in (keys, records, values))
    return Chunk(count, keys, values, records)
