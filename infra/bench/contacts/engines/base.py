"""What is asked of every database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Dwell = Literal["default", "best"]


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until), ms since 1970."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Window:
    """A venue, by its number, and a span strictly inside of which an entry counts."""

    window: int
    venue: int
    span: Span


class Engine(Protocol):
    """A loaded database. Answers are complete: every row has been fetched when a method returns.

    Persons are 32 hex digits. Raised by all: the driver's own errors.
    """

    name: str

    def trajectory(self, person: str, span: Span) -> list[tuple[int]]:
        """The scans of a person, ms since 1970, ascending."""
        ...

    def contacts(self, person: str, span: Span, dwell: Dwell) -> dict[str, int]:
        """Everybody who met the person, and for how many seconds in all."""
        ...

    def bulk(self, persons: Sequence[str], span: Span) -> int:
        """How many (case, contact) pairs there are under `default` dwell, all cases asked at once, all pairs made."""
        ...

    def second_degree(self, person: str, span: Span) -> int:
        """How many people met a contact of the person after that contact's first meeting, under `default` dwell."""
        ...

    def windows(self, windows: Sequence[Window]) -> int:
        """How many (window, person) pairs there are, all windows asked at once, all pairs made."""
        ...

    def disk_bytes(self) -> int:
        """What the tables and indexes take on disk."""
        ...

    def drop_caches(self) -> None:
        """Forget what is in memory of the tables, as far as can be, so that the next question is cold."""
        ...

    def another(self) -> Engine:
        """The same database over a connection of its own, for another thread."""
        ...

    def close(self) -> None:
        """Let go of the connection; the first one's also ends the database."""
        ...
