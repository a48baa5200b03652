"""The benchmark: a city, databases with it, the questions, and whether all give the same answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from infra.bench.contacts.databases import Advance, open_engine
from infra.bench.contacts.engines.clickhouse import ClickHouse
from infra.bench.contacts.ground import Ground, ground, require_space
from infra.bench.contacts.measure import Measured, measure, measure_meanwhile
from infra.bench.contacts.questions import DAY_MS, Question, draw, questions
from infra.bench.contacts.writer import command
from infra.bench.peers.installation import PeerUnavailableError
from infra.bench.report import Document
from infra.bench.surroundings import machine, versions
from infra.embedded.process import ChildProcess
from schemas.errors import ConfigurationError, FatalError

_SEED: Final = 7
_WRITER_READY_S: Final = 60.0
_WRITER_AHEAD_S: Final = 5.0


def run_contacts_bench(
    visits: int, cases: int, engines: Sequence[str], rate: int, keep: Path | None, advance: Advance
) -> Document:
    """Load what is missing, ask everything, compare.

    Args:
        visits: about how many the city has.
        cases: people asked about, of each kind.
        engines: names out of `ground.ENGINES`; ClickHouse is the product as it is.
        rate: visits a second that come in during the last measurement; 0: it is left out.
        keep: folder to keep the databases in, and to find them in again.
        advance: told what goes on and how many visits were loaded.

    Returns:
        `answers` (`engine`, `question`, `how`, `p50_ms`, `p95_ms`, `rows`, `asked`), `engines` (`engine`, `visits`,
        `bytes_per_visit`, `load_s`), `not_run` (reasons), `disagreements` (texts), and what it depends on.

    Raises:
        ConfigurationError: the disk is too small, or `keep` holds another city.
    """
    last_day_ms = (int(time.time() * 1000) // DAY_MS - 1) * DAY_MS
    answers: list[dict[str, Any]] = []
    sizes: list[dict[str, Any]] = []
    not_run: dict[str, str] = {}
    contents: dict[str, dict[str, list[Hashable]]] = {}
    with ground(visits, _SEED, last_day_ms, keep) as place:
        require_space(place, engines)
        advance("laying out the city", 0)
        city = place.city()
        asked, venues = draw(city, cases), city.venues
        for name in engines:
            try:
                engine = open_engine(name, place, advance)
            except (PeerUnavailableError, ConfigurationError) as error:
                not_run[name] = str(error)
                continue
            try:
                engine.know(venues, asked.windows)
                found = measure(engine, questions(asked), partial(_say, advance))
                count = engine.visits()
                size = {
                    "engine": engine.name,
                    "visits": count,
                    "bytes_per_visit": round(engine.disk_bytes() / count, 1),
                }
                sizes.append({**size, "load_s": place.loaded[name]})
                if rate and isinstance(engine, ClickHouse):
                    sizes[-1]["written_per_s"] = _while_writing(engine, place, rate, questions(asked), found, advance)
            finally:
                engine.close()
            answers += [{"engine": engine.name, **entry} for entry in found.answers]
            contents[engine.name] = found.contents
    return {
        "bench": "contacts",
        "parameters": {"visits": visits, "cases": cases, "writer_rate": rate},
        "answers": answers,
        "engines": sizes,
        "not_run": not_run,
        "disagreements": disagreements(contents),
        "machine": machine(),
        "versions": versions(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def disagreements(contents: Mapping[str, Mapping[str, Sequence[Hashable]]]) -> list[str]:
    """Questions to which two databases gave different answers, as texts without names of persons.

    Args:
        contents: by database and question, the answer to each call.
    """
    found: list[str] = []
    for (one, ours), (other, theirs) in pairwise(contents.items()):
        for question in [name for name in ours if name in theirs]:
            differing = sum(a != b for a, b in zip(ours[question], theirs[question], strict=True))
            if differing:
                found.append(f"{question}: {one} and {other} differ in {differing} of {len(ours[question])} answers")
    return found


def _say(advance: Advance, text: str) -> None:
    advance(text, 0)


def _while_writing(
    engine: ClickHouse, place: Ground, rate: int, asked: Sequence[Question], found: Measured, advance: Advance
) -> int:
    """Ask while a writer inserts, then take away what it wrote; visits a second that it really wrote."""
    first = engine.visits()
    numbers = {"visits": place.visits, "seed": place.seed, "last_day_ms": place.last_day_ms, "rate": rate}
    argv = command(engine.target, **numbers, first_offset=first)
    with ChildProcess("writer", [sys.executable, *argv], place.folder / "writer.log") as writer:
        deadline = time.monotonic() + _WRITER_READY_S
        while engine.visits() < first + rate * _WRITER_AHEAD_S:
            if writer.poll() is not None or time.monotonic() > deadline:
                raise FatalError(f"the writer does not write; the end of its log:\n{writer.log_tail()}")
            time.sleep(0.2)
        before, began = engine.visits(), time.monotonic()
        measure_meanwhile(engine, asked, partial(_say, advance), found)
        written = round((engine.visits() - before) / (time.monotonic() - began))
    advance("taking away what was written", 0)
    engine.remove_from(place.last_day_ms + DAY_MS)
    return written
