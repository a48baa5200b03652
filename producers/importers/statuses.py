"""Rows as health statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from producers.importers.columns import Choice, Columns, text_of, whole_number_of
from producers.importers.persons import Persons, TokenOf
from producers.importers.row import Row, RowRejected
from producers.importers.times import TimeReader
from schemas.errors import ConfigurationError
from schemas.fast import epoch_ms
from schemas.health import Colour, HealthStatus
from schemas.mirror import struct_of

_LABEL_BREAK: Final = re.compile(r"[|;]")


class StatusReader:
    """Reads health statuses.

    Args:
        columns: of the file. Without `issued_at` a status is issued when it begins to be valid; without `version` its
            version is the time it was issued, in milliseconds: a later one is larger.
        times: how times are written.
        token_of: turns a person id into a token; None: no key was given.
        maps: meanings of the values of `colour`.
        valid_for: how long a status holds in a file without `valid_until`.
        issuer: who gave the colours, where the file does not say.
        shift: by how much every time is moved.

    Raises:
        ConfigurationError: a column is missing, there are person ids and no key, or nothing says how long they hold.
    """

    model = HealthStatus

    def __init__(
        self,
        columns: Columns,
        times: TimeReader,
        *,
        token_of: TokenOf | None,
        maps: Mapping[str, Mapping[str, str]],
        valid_for: timedelta | None = None,
        issuer: str = "import",
        shift: timedelta = timedelta(0),
    ) -> None:
        self._times, self._shift, self._issuer, self._valid_for = times, shift, issuer, valid_for
        self._persons = Persons(columns, token_of)
        self._colour = Choice(columns.required("colour", "color"), get_args(Colour), None, maps.get("colour", {}))
        self._texts = {name: columns.optional(name) for name in ("labels", "reason", "evidence", "issuer")}
        self._from = columns.required("valid_from", "from")
        self._until = columns.optional("valid_until", "until")
        if self._until is None and valid_for is None:
            raise ConfigurationError(
                "the file does not say how long a colour holds: name its column with --valid-until, or give"
                " --valid-days"
            )
        self._issued = columns.optional("issued_at")
        self._version = columns.optional("version")
        self._status: Any = struct_of(HealthStatus)

    def time_of(self, row: Row) -> datetime:
        """When it was issued, before any shift."""
        return self._times.read(row.cells[self._from if self._issued is None else self._issued])

    def read(self, row: Row) -> Any:
        """See `RowReader`."""
        begins = self._times.read(row.cells[self._from]) + self._shift
        ends = self._ends(row, begins)
        if ends <= begins:
            raise RowRejected("stay_not_positive")
        issued = self.time_of(row) + self._shift
        version = whole_number_of(row, self._version)
        labels = text_of(row, self._texts["labels"])
        return self._status(
            person_token=self._persons.token(row),
            colour=self._colour.of(row),
            labels=tuple(part.strip() for part in _LABEL_BREAK.split(labels) if part.strip()),
            reason=text_of(row, self._texts["reason"], "imported"),
            evidence=text_of(row, self._texts["evidence"]) or None,
            valid_from=begins,
            valid_until=ends,
            version=epoch_ms(issued) if version is None else version,
            issuer=text_of(row, self._texts["issuer"], self._issuer),
            issued_at=issued,
        )

    def _ends(self, row: Row, begins: datetime) -> datetime:
        if self._until is not None and (self._valid_for is None or text_of(row, self._until)):
            return self._times.read(row.cells[self._until]) + self._shift
        return begins + (self._valid_for or timedelta(0))

    def finish(self, drafts: Sequence[Any]) -> tuple[list[bytes], list[Any]]:
        """See `RowReader`."""
        return [draft.person_token.encode() for draft in drafts], list(drafts)
