"""What is asked, of whom: the questions of the benchmark, drawn from the city with its seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from infra.bench.contacts.city import DAY_MS, DAYS, City, Visits
from infra.bench.contacts.engines.base import Answer, Engine, Span, Window
from infra.bench.contacts.narrow import place_number

BULK_CASES: Final = 1_000
WINDOWS: Final = 4_335
_CHAINS: Final = 5
"""People whose contacts' contacts are asked for: each names a large part of the city."""
_BUSIEST: Final = 0.01
_WINDOW_MINUTES: Final = (15, 240)

Call = Callable[[Engine], Answer]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, asked about several people.

    Attributes:
        name: in tables and JSON.
        calls: one for each of them.
        rounds: how often all of them are asked in a measurement.
    """

    name: str
    calls: tuple[Call, ...]
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """Whom and what the questions are about."""

    span: Span
    persons: tuple[str, ...]
    busiest: tuple[str, ...]
    many: tuple[str, ...]
    windows: tuple[Window, ...]


def draw(city: City, cases: int) -> Sample:
    """The same city, the same sample.

    Args:
        city: whose people and venues are asked about.
        cases: people of each kind.
    """
    rng = np.random.default_rng([city.seed, 4])
    names = city.hex_tokens
    first_day = city.day(0, 0)
    weight = _company(first_day, city.people)
    top = np.argsort(weight)[-max(cases, round(city.people * _BUSIEST)) :]
    begin = city.first_day_ms
    venues = first_day.venue[rng.integers(0, len(first_day), WINDOWS)]
    starts = begin + rng.integers(0, DAYS * DAY_MS, WINDOWS)
    lengths = rng.integers(*_WINDOW_MINUTES, WINDOWS) * 60_000

    def some(of: Any, count: int) -> tuple[str, ...]:
        return tuple(names[rng.choice(of, min(count, city.people), replace=False)].tolist())

    return Sample(
        Span(begin, begin + DAYS * DAY_MS),
        some(city.people, cases),
        some(top, cases),
        some(city.people, BULK_CASES),
        tuple(
            Window(number, venue, Span(start, start + length))
            for number, (venue, start, length) in enumerate(
                zip(venues.tolist(), starts.tolist(), lengths.tolist(), strict=True)
            )
        ),
    )


def questions(sample: Sample) -> tuple[Question, ...]:
    """The questions, in the order they are asked."""
    span = sample.span

    def of_each(ask: Callable[[str, Span, Engine], Answer]) -> tuple[Call, ...]:
        return tuple(partial(ask, person, span) for person in sample.persons)

    def contacts(persons: tuple[str, ...], dwell: str) -> tuple[Call, ...]:
        return tuple(partial(_contacts, person, span, dwell) for person in persons)

    def second_degree(*, count: bool) -> tuple[Call, ...]:
        return tuple(partial(_second_degree, person, span, count) for person in sample.persons[:_CHAINS])

    return (
        Question("trajectory", of_each(_trajectory)),
        Question("stays of one person", of_each(_stays)),
        Question("contacts, default dwell", contacts(sample.persons, "default")),
        Question("contacts, best dwell", contacts(sample.persons, "best")),
        Question("contacts, best dwell, busiest 1 %", contacts(sample.busiest, "best")),
        Question("contacts, best dwell, to the second", of_each(_now)),
        Question("companions in cells of 800 m", of_each(_companions)),
        Question(f"contacts of {len(sample.many):,} cases", (partial(_bulk, sample.many, span),), 3),
        Question("second degree, count", second_degree(count=True)),
        Question("second degree, list", second_degree(count=False)),
        Question("second degree, size within 5 %", of_each(_size)[:_CHAINS]),
        Question(f"{len(sample.windows):,} exposure windows", (partial(_windows, sample.windows),), 3),
        Question(f"{len(sample.windows):,} windows, to the second", (partial(_windows_now, sample.windows),), 3),
        Question(f"{len(sample.windows):,} windows, any stay", (partial(_windows_stayed, sample.windows),), 3),
    )


def _trajectory(person: str, span: Span, engine: Engine) -> Answer:
    return engine.trajectory(person, span)


def _stays(person: str, span: Span, engine: Engine) -> Answer:
    return engine.stays(person, span)


def _contacts(person: str, span: Span, dwell: Any, engine: Engine) -> Answer:
    return engine.contacts(person, span, dwell)


def _now(person: str, span: Span, engine: Engine) -> Answer:
    return engine.contacts_now(person, span)


def _companions(person: str, span: Span, engine: Engine) -> Answer:
    return engine.companions(person, span)


def _bulk(persons: tuple[str, ...], span: Span, engine: Engine) -> Answer:
    return engine.bulk(persons, span)


def _second_degree(person: str, span: Span, count: bool, engine: Engine) -> Answer:
    return engine.second_degree(person, span, count=count)


def _size(person: str, span: Span, engine: Engine) -> Answer:
    return engine.second_degree_size(person, span)


def _windows(windows: tuple[Window, ...], engine: Engine) -> Answer:
    return engine.windows(windows)


def _windows_now(windows: tuple[Window, ...], engine: Engine) -> Answer:
    return engine.windows_now(windows)


def _windows_stayed(windows: tuple[Window, ...], engine: Engine) -> Answer:
    return engine.windows_stayed(windows)


def _company(day: Visits, people: int) -> Any:
    """For each of so many people, how many scans the places of their day had that day."""
    place = place_number(day.venue, day.run)
    _, index, scans = np.unique(place, return_inverse=True, return_counts=True)
    return np.bincount(day.person, weights=scans[index], minlength=people)
