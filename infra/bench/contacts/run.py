"""The benchmark: a city, databases with it, the questions, and whether all give the same answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from infra.bench.contacts.city import DAY_MS, Venues
from infra.bench.contacts.databases import Advance, open_engine
from infra.bench.contacts.engines.clickhouse import ClickHouse
from infra.bench.contacts.ground import Ground, ground, require_space
from infra.bench.contacts.measure import Measured, measure, measure_meanwhile
from infra.bench.contacts.questions import Sample, draw, questions
from infra.bench.contacts.writer import command
from infra.bench.peers.installation import PeerUnavailableError
from infra.bench.report import Document
from infra.bench.surroundings import machine, versions
from infra.embedded.process import ChildProcess
from schemas.errors import ConfigurationError, FatalError
from sinks.clickhouse.under_way import wait_for_inserts

_SEED: Final = 7
_WRITER_READY_S: Final = 60.0
_WRITER_AHEAD_S: Final = 5.0
_LARGE: Final = 50_000_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Findings:
    """What was found so far; whatever ends the benchmark, this is what there is.

    Attributes:
        measured: by database.
        sizes: an entry a database: `engine`, `visits`, `bytes_per_visit`, `load_s`, perhaps `written_per_s`.
        not_run: why a database was not asked.
        failed: what a database failed at, and with what.
        broken_off: what went on when the benchmark was broken off.
    """

    measured: dict[str, Measured] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    broken_off: str | None = None

    def document(self) -> Document:
        """All of it, with what it depends on."""
        answers = [{"engine": name, **entry} for name, found in self.measured.items() for entry in found.answers]
        return {
            "answers": answers,
            "engines": self.sizes,
            "not_run": self.not_run,
            "failed": self.failed,
            "left_out": {name: found.left_out for name, found in self.measured.items() if found.left_out},
            "broken_off": self.broken_off,
            "disagreements": disagreements({name: found.contents for name, found in self.measured.items()}),
            "machine": machine(),
            "versions": versions(),
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


@dataclass(slots=True)
class _Told:
    """Passes on what goes on, and remembers it."""

    advance: Advance
    latest: str = ""

    def __call__(self, text: str, more: int = 0) -> None:
        self.latest = text
        self.advance(text, more)


def run_contacts_bench(
    visits: int, cases: int, engines: Sequence[str], rate: int, seconds: float, keep: Path | None, advance: Advance
) -> Document:
    """Load what is missing, ask everything, compare.

    A database that fails is left as it is, and the others are asked; a KeyboardInterrupt ends the benchmark with what
    was measured until then.

    Args:
        visits: about how many the city has.
        cases: people asked about, of each kind.
        engines: names out of `ground.ENGINES`; ClickHouse is the product as it is.
        rate: visits a second that come in during the last measurement; 0: it is left out.
        seconds: see `measure.measure`.
        keep: folder to keep the databases in, and to find them in again.
        advance: told what goes on and how many visits were loaded.

    Returns:
        `answers` (`engine`, `question`, `how`, `p50_ms`, `p95_ms`, `rows`, `asked`), `engines` (`engine`, `visits`,
        `bytes_per_visit`, `load_s`), `not_run` and `failed` (reasons by database), `left_out` (texts by database),
        `broken_off` (what went on then, or null), `disagreements` (texts), and what it depends on.

    Raises:
        ConfigurationError: the disk is too small, or `keep` holds another city.
        KeyboardInterrupt: before anything was measured.
    """
    last_day_ms = (int(time.time() * 1000) // DAY_MS - 1) * DAY_MS
    found, tell = _Findings(), _Told(advance)
    try:
        with ground(visits, _SEED, last_day_ms, keep) as place:
            require_space(place, engines)
            tell("laying out the city")
            city = place.city()
            sample, venues = draw(city, cases), city.venues
            for name in engines:
                try:
                    _ask(name, place, venues, sample, rate, seconds, found, tell)
                except (PeerUnavailableError, ConfigurationError) as error:
                    found.not_run[name] = str(error)
                except Exception as error:
                    log.exception("database_failed", database=name, at=tell.latest)
                    found.failed[name] = f"{tell.latest}: {type(error).__name__}"
    except KeyboardInterrupt:
        if not any(each.answers for each in found.measured.values()):
            raise
        found.broken_off = tell.latest
    # The docs show a large city beside the usual one.
    bench = "contacts" if visits < _LARGE else f"contacts-{visits // 1_000_000}m"
    parameters = {"visits": visits, "cases": cases, "writer_rate": rate, "seconds": seconds}
    return {"bench": bench, "parameters": parameters, **found.document()}


def _ask(
    name: str,
    place: Ground,
    venues: Venues,
    sample: Sample,
    rate: int,
    seconds: float,
    found: _Findings,
    tell: _Told,
) -> None:
    """Open one database, filled when it is not yet, and ask it everything."""
    engine = open_engine(name, place, tell)
    try:
        engine.know(venues, sample.windows)
        count = engine.visits()
        size = {"engine": engine.name, "visits": count, "bytes_per_visit": round(engine.disk_bytes() / count, 1)}
        found.sizes.append({**size, "load_s": place.loaded[name]})
        measured = found.measured[engine.name] = Measured()
        measure(engine, questions(sample), tell, measured, seconds)
        if rate and isinstance(engine, ClickHouse):
            with _writing(engine, place, rate, tell) as written:
                measure_meanwhile(engine, questions(sample), tell, measured, seconds)
                found.sizes[-1]["written_per_s"] = written()
    finally:
        engine.close()


def disagreements(contents: Mapping[str, Mapping[str, Sequence[Hashable]]]) -> list[str]:
    """Questions to which two databases gave different answers, as texts without names of persons.

    Args:
        contents: by database and question, the answer to each call.
    """
    found: list[str] = []
    known: dict[str, tuple[str, Sequence[Hashable]]] = {}
    for other, answers in contents.items():
        for question, theirs in answers.items():
            one, ours = known.get(question, ("", ()))
            # A slow database was asked fewer times.
            both = list(zip(ours, theirs, strict=False))
            differing = sum(a != b for a, b in both)
            if differing:
                found.append(f"{question}: {one} and {other} differ in {differing} of {len(both)} answers")
            if len(theirs) >= len(ours):
                known[question] = other, theirs
    return found


@contextmanager
def _writing(engine: ClickHouse, place: Ground, rate: int, tell: _Told) -> Iterator[Callable[[], int]]:
    """A writer inserts meanwhile, and what it wrote is taken away afterwards; gives visits a second so far."""
    first = engine.visits()
    numbers = {"visits": place.visits, "seed": place.seed, "last_day_ms": place.last_day_ms, "rate": rate}
    argv = command(engine.target, **numbers, first_offset=first)
    try:
        with ChildProcess("writer", [sys.executable, *argv], place.folder / "writer.log") as writer:
            deadline = time.monotonic() + _WRITER_READY_S
            while engine.visits() < first + rate * _WRITER_AHEAD_S:
                if writer.poll() is not None or time.monotonic() > deadline:
                    raise FatalError(f"the writer does not write; the end of its log:\n{writer.log_tail()}")
                time.sleep(0.2)
            before, began = engine.visits(), time.monotonic()
            yield lambda: round((engine.visits() - before) / (time.monotonic() - began))
    finally:
        doing = tell.latest
        tell("taking away what was written")
        # The writer's last insert may go on without it.
        wait_for_inserts(engine.client)
        engine.remove_from(place.end_ms)
        tell(doing)
