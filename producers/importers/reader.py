"""What turns rows into records: the interface the four kinds of file share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from producers.importers.row import Row, RowRejected
from producers.importers.times import EPOCH
from schemas.base import Record


@dataclass(frozen=True, slots=True)
class Limits:
    """Which times a row may have.

    Attributes:
        now: the present.
        oldest: the earliest time taken; None on an analysis platform.
        future: how far ahead of `now` a clock may be.
    """

    now: datetime
    oldest: datetime | None
    future: timedelta = timedelta(minutes=5)

    def check(self, at: datetime) -> None:
        """Refuse what the worker would set aside.

        Raises:
            RowRejected: `older_than_retention`, `too_far_in_the_future`, or `out_of_range` before 1970 (which no scan
                id can hold).
        """
        if at < EPOCH:
            raise RowRejected("out_of_range")
        if self.oldest is not None and at < self.oldest:
            raise RowRejected("older_than_retention")
        if at - self.now > self.future:
            raise RowRejected("too_far_in_the_future")


class RowReader(Protocol):
    """Reads the rows of one kind of file. Rows are given in order, each once."""

    @property
    def model(self) -> type[Record]:
        """The record that a row becomes."""
        ...

    def time_of(self, row: Row) -> datetime | None:
        """The row's own time, for moving a whole file; None where the kind has none.

        Raises:
            RowRejected: the row is not taken.
        """
        ...

    def read(self, row: Row) -> Any:
        """A row, checked, as a draft for `finish`.

        Raises:
            RowRejected: the row is not taken.
        """
        ...

    def finish(self, drafts: Sequence[Any]) -> tuple[list[bytes], list[Any]]:
        """Drafts, in order, as keys and as records (Structs made by `struct_of(model)`)."""
        ...
