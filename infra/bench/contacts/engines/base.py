"""What is asked of every database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from infra.bench.contacts.city import Venues

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question came back with; every row has been fetched.

    Attributes:
        rows: how many.
        content: makes a form of it that is equal between databases; not part of the time that is measured.
    """

    rows: int
    content: Callable[[], Hashable]


class Unanswerable(Exception):  # noqa: N818 - said of a question, no error
    """A database is not asked this question."""


class Engine(Protocol):
    """A loaded database. Persons are 32 hex digits. Raised by all: the driver's own errors."""

    name: str

    def visits(self) -> int:
        """How many there are."""
        ...

    def know(self, venues: Venues, windows: Sequence[Window]) -> None:
        """Take in where the venues are and which windows are asked about, instead of what was there."""
        ...

    def trajectory(self, person: str, span: Span) -> Answer:
        """The scans of a person; content: their instants, ms since 1970, ascending."""
        ...

    def stays(self, person: str, span: Span) -> Answer:
        """A person's stays that began in the span; content: begin and end under `best`, ms since 1970, ascending."""
        ...

    def contacts(self, person: str, span: Span, dwell: Dwell) -> Answer:
        """Everybody who met the person; content: each with the seconds in all."""
        ...

    def contacts_now(self, person: str, span: Span) -> Answer:
        """`contacts` under `best`, by every scan stored: also those that came since ends of stays were worked out.

        Raises:
            Unanswerable: this database knows ends of stays as of when they were worked out only.
        """
        ...

    def companions(self, person: str, span: Span) -> Answer:
        """Everybody who was in one cell of 800 m with the person, mode `best`; content as of `contacts`."""
        ...

    def bulk(self, persons: Sequence[str], span: Span) -> Answer:
        """Everybody who met one of many, asked at once, under `default` dwell; content: pairs, and seconds in all."""
        ...

    def second_degree(self, person: str, span: Span, *, count: bool) -> Answer:
        """How many, or who, met the person or from then on one of those, mode `best`; content: how many.

        Raises:
            Unanswerable: this database is not asked.
        """
        ...

    def second_degree_size(self, person: str, span: Span) -> Answer:
        """About how many `second_degree` would name, within 5 % by two standard deviations; content: none.

        Raises:
            Unanswerable: this database is not asked.
        """
        ...

    def windows(self, windows: Sequence[Window]) -> Answer:
        """Who entered within each of many windows, asked at once; content: the number of (window, person) pairs."""
        ...

    def windows_now(self, windows: Sequence[Window]) -> Answer:
        """`windows`, by every scan stored.

        Raises:
            Unanswerable: this database is not asked.
        """
        ...

    def windows_stayed(self, windows: Sequence[Window]) -> Answer:
        """Whose stay, mode `best`, has any time in common with each of many windows; content as of `windows`."""
        ...

    def disk_bytes(self) -> int:
        """What the tables and indexes take on disk."""
        ...

    def drop_caches(self) -> None:
        """Forget what is in memory of the tables, as far as can be, so that the next question is cold."""
        ...

    def another(self) -> Any:
        """The same database over a connection of its own, for another thread."""
        ...

    def close(self) -> None:
        """Let go of the connection; the first one's also ends the database."""
        ...


def pairs(persons: Any, numbers: Any) -> frozenset[tuple[str, int]]:
    """Two Arrow columns as a set: 32 hex digits, however they are stored, and a whole number."""
    people = [value.decode() if isinstance(value, bytes) else value for value in persons.to_pylist()]
    return frozenset(zip(people, numbers.to_pylist(), strict=True))
