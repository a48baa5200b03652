"""Which dead letters are put back, and why the others are not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from sinks.dead_letters.letters import Origin, StoredLetter
from sinks.dead_letters.marks import Marks

ALREADY: Final = "put back before"
REPEATED: Final = "the same record is there twice"
TOO_OFTEN: Final = "put back too often: it fails every time"
NO_KEY: Final = "has no key, which its topic demands"
OVERTAKEN: Final = "a newer record of the same key is on its topic"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dead letter that is to be put back, for the `replays`-th time."""

    stored: StoredLetter
    replays: int


@dataclass(slots=True)
class Plan:
    """What would be done: what is put back, and how many are not, by why."""

    candidates: list[Candidate] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def plan_replay(
    letters: Iterable[StoredLetter],
    marks: Marks,
    *,
    compacted: Collection[str],
    overtaken: Collection[Origin] = frozenset(),
    again: bool = False,
    most_replays: int = 3,
) -> Plan:
    """Decide about every letter.

    Args:
        letters: the chosen ones.
        marks: what was put back before.
        compacted: topics that keep the latest record of a key only.
        overtaken: origins on such a topic that have a newer record of their key.
        again: also what was put back before.
        most_replays: a record that has been put back so often and failed each time stays where it is.
    """
    plan = Plan()
    seen: set[Origin] = set()
    for stored in letters:
        origin = stored.origin
        replays = marks.replays(origin)
        before = marks.by_origin.get(origin)
        if before is not None:
            replays = max(replays, before.replays)
        why = None
        if origin in seen:
            why = REPEATED
        elif before is not None and not again:
            why = ALREADY
        elif replays >= most_replays:
            why = TOO_OFTEN
        elif origin.topic in compacted and not stored.letter.key:
            why = NO_KEY
        elif origin in overtaken:
            why = OVERTAKEN
        seen.add(origin)
        if why is None:
            plan.candidates.append(Candidate(stored, replays + 1))
        else:
            plan.skipped[why] += 1
    return plan
