"""What the worker must have decided, computed again from the whole input: plain dictionaries, no code of `streams`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.alert import AlertKind
from schemas.ids import alert_id
from schemas.venue import Venue

_DECISIONS = {"green": "admit", "yellow": "refuse", "red": "isolate", "unknown": "check"}
_LEVELS = {"yellow": "yellow", "red": "red", "unknown": "review"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run must lead to.

    Attributes:
        visits: decisions by scan id, as (person token, colour, decision, category).
        raised: level and alert id by the id of the scan that raises it.
    """

    visits: Mapping[str, tuple[str, str, str, str]]
    raised: Mapping[str, tuple[str, str]]

    @property
    def alerts(self) -> dict[str, frozenset[str]]:
        """Alert ids by level."""
        return {of: frozenset(found for level, found in self.raised.values() if level == of) for of in _LEVELS.values()}


def recompute(
    scans: Iterable[bytes],
    statuses: Iterable[bytes],
    venues: Iterable[Venue],
    key: bytes,
    dedupe_ms: int,
    review_ms: int,
) -> Expected:
    """Everything a run over these scans must lead to, by event time.

    Args:
        scans: valid ones.
        statuses: all versions of everybody.
        venues: the registry.
        key, dedupe_ms, review_ms: the worker's settings for alert ids.
    """
    registry = {venue.venue_id: venue for venue in venues}
    history: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for value in statuses:
        status = json.loads(value)
        history[status["person_token"]].append(status)
    visits: dict[str, tuple[str, str, str, str]] = {}
    raised: dict[str, tuple[str, str]] = {}
    for value in scans:
        scan = json.loads(value)
        at = datetime.fromisoformat(scan["scanned_at"])
        person = scan["person_token"]
        colour = _colour_at(history[person], at)
        venue = registry.get(scan["venue_id"])
        visits[scan["scan_id"]] = (person, colour, _DECISIONS[colour], "" if venue is None else venue.category)
        if colour == "green" or scan["direction"] != "enter":
            continue
        level = _LEVELS[colour]
        at_ms = round(at.timestamp() * 1000)
        if level == "review":
            found = alert_id(key, "unknown_scan", "", scan["venue_id"], at_ms, review_ms)
        else:
            kind: AlertKind = "red_scan" if level == "red" else "yellow_scan"
            found = alert_id(key, kind, person, scan["venue_id"], at_ms, dedupe_ms)
        raised[scan["scan_id"]] = (level, found)
    return Expected(visits, raised)


def _colour_at(history: list[dict[str, Any]], at: datetime) -> str:
    """The promise is about the latest version and the one it superseded: older ones are gone (docs/guarantees.md)."""
    known = sorted(history, key=lambda status: int(status["version"]))[-2:]
    begun = [status for status in known if datetime.fromisoformat(status["valid_from"]) <= at]
    if not begun:
        return "unknown"
    latest = max(begun, key=lambda status: int(status["version"]))
    return str(latest["colour"]) if at < datetime.fromisoformat(latest["valid_until"]) else "unknown"
