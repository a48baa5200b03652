"""How long a database takes: cold, warm, by several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from infra.bench.contacts.engines.base import Engine, Unanswerable
from infra.bench.contacts.questions import Question

CLIENTS: Final = 8
_COLD_CALLS: Final = 5
Step = Callable[[str], None]


@dataclass(slots=True)
class Measured:
    """What a database answered and how long it took, by question and way of asking.

    Attributes:
        answers: one entry a question and way: `question`, `how`, `p50_ms`, `p95_ms`, `rows` (median), `asked`.
        contents: what came back, by question, call by call; comparable between databases.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, list[Hashable]] = field(default_factory=dict)

    def add(self, question: str, how: str, took: Sequence[float], rows: Sequence[int]) -> None:
        p50, p95 = np.percentile(np.array(took) * 1000, [50, 95])
        entry = {"question": question, "how": how, "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}
        self.answers.append({**entry, "rows": int(np.median(rows)), "asked": len(took)})


def measure(engine: Engine, questions: Sequence[Question], step: Step, *, cold: bool = True) -> Measured:
    """Ask everything: each question cold (the first few), warm one at a time, and by `CLIENTS` at once.

    Args:
        engine: loaded.
        questions: to ask.
        step: called with a few words before each part.
        cold: whether to ask cold at all.
    """
    found = Measured()
    for question in questions:
        step(f"{engine.name}: {question.name}")
        try:
            question.calls[0](engine)
        except Unanswerable:
            continue
        if cold:
            found.add(question.name, "cold", *_one_by_one(engine, question.calls[:_COLD_CALLS], engine.drop_caches))
        found.contents[question.name] = [call(engine).content() for call in question.calls]
        found.add(question.name, "warm", *_one_by_one(engine, question.calls * question.rounds))
        if len(question.calls) > 1:
            found.add(question.name, f"{CLIENTS} at once", *_at_once(engine, question.calls * question.rounds))
    return found


def measure_meanwhile(engine: Engine, questions: Sequence[Question], step: Step, found: Measured) -> None:
    """Ask everything one at a time while somebody else writes; adds to what was found."""
    for question in questions:
        step(f"{engine.name} while visits come in: {question.name}")
        found.add(question.name, "while writing", *_one_by_one(engine, question.calls * question.rounds))


def _one_by_one(engine: Engine, calls: Sequence[Any], before: Callable[[], None] | None = None) -> Any:
    took, rows = [], []
    for call in calls:
        if before is not None:
            before()
        began = time.perf_counter()
        rows.append(call(engine).rows)
        took.append(time.perf_counter() - began)
    return took, rows


def _at_once(engine: Engine, calls: Sequence[Any]) -> Any:
    waiting, took, rows = list(calls), [], []
    failures: list[BaseException] = []

    def client() -> None:
        try:
            mine = engine.another()
            try:
                while not failures:
                    try:
                        call = waiting.pop()
                    except IndexError:
                        return
                    began = time.perf_counter()
                    count = call(mine).rows
                    took.append(time.perf_counter() - began)
                    rows.append(count)
            finally:
                mine.close()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=client, daemon=True) for _ in range(min(CLIENTS, len(calls)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return took, rows
