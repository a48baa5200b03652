"""How long a database takes: cold, warm, by several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np

from infra.bench.contacts.engines.base import Answer, Engine, Unanswerable
from infra.bench.contacts.questions import Call, Question

CLIENTS: Final = 8
_COLD_CALLS: Final = 5
Step = Callable[[str], None]


@dataclass(slots=True)
class Measured:
    """What a database answered and how long it took, by question and way of asking.

    Attributes:
        answers: one entry a question and way: `question`, `how`, `p50_ms`, `p95_ms`, `rows` (median), `asked`.
        contents: what came back, by question, call by call; comparable between databases.
        left_out: what was not asked, or not as often as said, since answers took too long; texts.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, list[Hashable]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, question: str, how: str, times: _Times) -> None:
        p50, p95 = np.percentile(np.array(times.took) * 1000, [50, 95])
        entry = {"question": question, "how": how, "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}
        self.answers.append({**entry, "rows": int(np.median(times.rows)), "asked": len(times.took)})


@dataclass(slots=True)
class _Times:
    """Seconds that calls took, and how many rows each came back with."""

    took: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def call(self, engine: Engine, call: Call) -> Answer:
        began = perf_counter()
        answer = call(engine)
        self.took.append(perf_counter() - began)
        self.rows.append(answer.rows)
        return answer


def measure(engine: Engine, questions: Sequence[Question], step: Step, found: Measured, seconds: float) -> None:
    """Ask everything: cold (the first few), once to compare the answers, then warm one at a time, and several at once.

    Args:
        engine: loaded.
        questions: to ask.
        step: called with a few words before each part.
        found: what is found is added to it, question by question.
        seconds: each way of asking a question ends after so many, a call that has begun excepted. A question whose
            first answer takes longer is asked that once; one that warm is not asked all its calls in time is not asked
            by several at once.
    """
    for question in questions:
        name = question.name
        step(f"{engine.name}: {name}")
        first = _Times()
        try:
            answer = first.call(engine, question.calls[0])
        except Unanswerable:
            continue
        if first.took[0] > seconds:
            found.contents[name] = [answer.content()]
            found.add(name, "once", first)
            found.left_out.append(f"{name}: asked once, an answer took {first.took[0]:.0f} s")
            continue
        some, calls = question.calls[:_COLD_CALLS], question.calls * question.rounds
        found.add(name, "cold", _one_by_one(engine, some, seconds, before=engine.drop_caches))
        # After the cold ones: what these calls read is in memory when they are asked warm.
        found.contents[name] = _contents(engine, question.calls, seconds)
        warm = _one_by_one(engine, calls, seconds)
        found.add(name, "warm", warm)
        if len(question.calls) == 1:
            continue
        if len(warm.took) == len(calls):
            found.add(name, f"{CLIENTS} at once", _at_once(engine, calls))
        else:
            found.left_out.append(
                f"{name}: {len(warm.took)} calls took {sum(warm.took):.0f} s, so not {CLIENTS} at once"
            )


def measure_meanwhile(
    engine: Engine, questions: Sequence[Question], step: Step, found: Measured, seconds: float
) -> None:
    """Ask everything one at a time while somebody else writes; see `measure`."""
    for question in questions:
        step(f"{engine.name} while visits come in: {question.name}")
        found.add(question.name, "while writing", _one_by_one(engine, question.calls * question.rounds, seconds))


def _contents(engine: Engine, calls: Sequence[Call], seconds: float) -> list[Hashable]:
    """What comes back from calls, as many as `_one_by_one` makes."""
    contents: list[Hashable] = []
    _one_by_one(engine, calls, seconds, after=lambda answer: contents.append(answer.content()))
    return contents


def _one_by_one(
    engine: Engine,
    calls: Sequence[Call],
    seconds: float,
    before: Callable[[], object] = lambda: None,
    after: Callable[[Answer], object] = lambda _: None,
) -> _Times:
    """The first call, and more of them until so many seconds are over."""
    times, end = _Times(), perf_counter() + seconds
    for call in calls:
        if times.took and perf_counter() > end:
            break
        before()
        after(times.call(engine, call))
    return times


def _at_once(engine: Engine, calls: Sequence[Call]) -> _Times:
    waiting, times = list(calls), _Times()
    failures: list[BaseException] = []

    def client(mine: Engine) -> None:
        try:
            while not failures:
                try:
                    call = waiting.pop()
                except IndexError:
                    return
                times.call(mine, call)
        except BaseException as failure:
            failures.append(failure)

    with ExitStack() as stack:
        # All are connected before the first is asked: connecting is a question too.
        mine = [stack.enter_context(closing(engine.another())) for _ in range(min(CLIENTS, len(calls)))]
        threads = [threading.Thread(target=client, args=[each], daemon=True) for each in mine]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return times
