"""What to import, what became of it, and a look at it before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from producers.importers.ledger import import_id
from producers.importers.reader import RowReader
from producers.importers.records import Brake, chunks
from producers.importers.rejects import Rejects
from producers.importers.row import RowRejected, check_damage
from producers.importers.source import Layout, open_table
from producers.importers.table import Table
from schemas.errors import ConfigurationError
from schemas.fast import epoch_ms

_FUTURE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reader needs to know besides the file: how far times are moved, which version and gateway to name."""

    shift: timedelta = timedelta(0)
    version: int = 1
    gateway: str = "import"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to import, and as what.

    Attributes:
        path: the file.
        layout: how it is laid out.
        make_reader: makes the reader of its rows.
        topic: where the records go.
        rejects: where rejected rows go; None: they are only counted.
        max_bad: share of bad rows above which to stop.
        shift_to_now: move all times so that the newest is now.
        shift: move all times by this much.
    """

    path: Path
    layout: Layout
    make_reader: Callable[[Table, Circumstances], RowReader]
    topic: str
    rejects: Path | None
    max_bad: float = 0.05
    shift_to_now: bool = False
    shift: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did.

    Attributes:
        import_id: of this file with these options into this topic; scans carry it in `gateway`.
        rows: of the file.
        sent: records sent by this run.
        already_there: records an earlier run had delivered.
        rejected: rejected rows by reason.
        rejects_file: where they are, None when there are none.
        resumed_from: rows that were known to be done when this run began; None: it began at the beginning.
        already_imported: an earlier run had finished; nothing was done, and the figures are that run's.
        shift_s: seconds by which all times were moved.
        first: with a dry run, the first records as JSON.
    """

    import_id: str
    rows: int = 0
    sent: int = 0
    already_there: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    resumed_from: int | None = None
    already_imported: bool = False
    shift_s: float = 0.0
    first: tuple[str, ...] = ()


def shift_of(plan: Plan, now: datetime) -> timedelta:
    """By how much the times of a file are moved; reads it through when its newest row is to be now.

    Raises:
        ConfigurationError: no row has a time.
    """
    if not plan.shift_to_now:
        return plan.shift
    newest: datetime | None = None
    with open_table(plan.path, plan.layout) as (table, _):
        reader = plan.make_reader(table, Circumstances())
        for row in table:
            try:
                check_damage(row, plan.layout.label)
                at = reader.time_of(row)
            except RowRejected:
                continue
            if at is not None and (newest is None or at > newest) and at <= now + _FUTURE:
                newest = at
    if newest is None:
        raise ConfigurationError("there is no row with a time that could be moved to now")
    return timedelta(milliseconds=epoch_ms(now) - epoch_ms(newest))


def dry_run(
    plan: Plan, identity: Mapping[str, Any], now: datetime, show: int, on_bytes: Callable[[int], None]
) -> ImportResult:
    """Read a file as an import would, send nothing, write nothing.

    Raises:
        ConfigurationError, TooManyRejectsError: as an import would.
    """
    name = import_id(identity)
    shift = shift_of(plan, now)
    first: list[str] = []
    rows = 0
    with Rejects(None) as rejects, open_table(plan.path, plan.layout) as (table, position):
        reader = plan.make_reader(table, Circumstances(shift, epoch_ms(now), f"import-{name}"))
        for chunk in chunks(table, reader, plan.layout.label, rejects, Brake(1.0)):
            first += [value.decode() for value in chunk.values[: show - len(first)]]
            rows = chunk.rows
            on_bytes(position.done)
    return ImportResult(
        name,
        rows=rows,
        rejected=dict(rejects.by_reason),
        shift_s=shift.total_seconds(),
        first=tuple(first),
    )
