"""Who was at a venue in a published span of time: exposure windows, one of them or all at once.

As in `sinks.clickhouse.queries`: times are aware, person tokens 32 hex digits, the meaning is in docs/co-presence.md.
Every function may raise what `sinks.clickhouse.asking.ask` raises. Those whose names begin with `settled_` answer as of
the last settlement, sooner, and know only its two ways to end stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import ask, rule
from sinks.clickhouse.dwell import ANY_OVERLAP, Dwell, SettledDwell
from sinks.clickhouse.sizes import Size, ask_size

_OF_ONE: Final = " WHERE window_id = {window_id:String}"
_BY_ENTRY: Final = " ORDER BY window_id, first_entry, person_token"
_BY_STAY: Final = " ORDER BY window_id, first_there, person_token"


@dataclass(frozen=True, slots=True)
class ExposureWindow:
    """An exposure window as it was published."""

    window_id: str
    venue_id: str
    title: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class WindowCount(ExposureWindow):
    """An exposure window, how many people were in it, and how often."""

    people: int
    entries: int


@dataclass(frozen=True, slots=True)
class WindowVisitor:
    """Somebody who entered strictly inside an exposure window."""

    window_id: str
    person_token: str
    first_entry: datetime
    last_entry: datetime
    entries: int


@dataclass(frozen=True, slots=True)
class Exposed:
    """Somebody who satisfies a rule with an exposure window."""

    window_id: str
    person_token: str
    overlap_s: int
    counted_s: int
    first_there: datetime
    last_there: datetime
    times: int
    dwells: list[str]
    late: bool
    rule_id: str
    rule_version: int


def exposure_window(client: Client, window_id: str) -> ExposureWindow | None:
    """One exposure window by its id, if it is published."""
    found = ask(
        client,
        ExposureWindow,
        "all_exposure_windows",
        {},
        _OF_ONE,
        {"window_id": window_id},
    )
    return found[0] if found else None


def window_counts(client: Client) -> list[WindowCount]:
    """Every exposure window with how many people were there, by its start."""
    return ask(client, WindowCount, "window_counts", {})


def settled_window_counts(client: Client) -> list[WindowCount]:
    """What `window_counts` answers."""
    return ask(client, WindowCount, "settled_window_counts", {})


def window_visitors(client: Client, window_id: str | None = None) -> list[WindowVisitor]:
    """Who entered strictly inside an exposure window: one, or all at once; by window, then by time."""
    where = "" if window_id is None else _OF_ONE
    return ask(client, WindowVisitor, "exposed_in_windows", {}, where + _BY_ENTRY, {"window_id": window_id})


def settled_window_visitors(client: Client, window_id: str | None = None) -> list[WindowVisitor]:
    """What `window_visitors` answers."""
    return ask(client, WindowVisitor, "settled_exposed_in_windows", _which(window_id), _BY_ENTRY, always=True)


def exposed_under_rule(
    client: Client, rule_id: str = ANY_OVERLAP, dwell: Dwell = "best", window_id: str | None = None
) -> list[Exposed]:
    """Who satisfies a rule with an exposure window: one, or all at once; by window, then by time."""
    where = "" if window_id is None else _OF_ONE
    about = rule(rule_id, dwell)
    return ask(client, Exposed, "exposed_under_rule", about, where + _BY_STAY, {"window_id": window_id})


def settled_exposed_under_rule(
    client: Client, rule_id: str = ANY_OVERLAP, dwell: SettledDwell = "best", window_id: str | None = None
) -> list[Exposed]:
    """What `exposed_under_rule` answers."""
    about = {**rule(rule_id, dwell), **_which(window_id)}
    return ask(client, Exposed, "settled_exposed_under_rule", about, _BY_STAY)


def exposed_counts(client: Client, rule_id: str = ANY_OVERLAP, dwell: Dwell = "best") -> list[WindowCount]:
    """Every exposure window with how many people satisfy a rule with it, and how often; by its start."""
    return ask(client, WindowCount, "exposed_counts", rule(rule_id, dwell))


def settled_exposed_counts(
    client: Client, rule_id: str = ANY_OVERLAP, dwell: SettledDwell = "best"
) -> list[WindowCount]:
    """What `exposed_counts` answers."""
    return ask(client, WindowCount, "settled_exposed_counts", rule(rule_id, dwell))


def exposed_size(
    client: Client, rule_id: str | None = None, dwell: Dwell = "best", window_id: str | None = None
) -> Size:
    """How many people exposure windows would name, all of them or one; without a rule, who entered strictly inside."""
    if rule_id is None:
        return ask_size(client, "exposed_in_windows_estimate", _which(window_id))
    return ask_size(client, "exposed_under_rule_estimate", {**rule(rule_id, dwell), **_which(window_id)})


def settled_exposed_size(
    client: Client, rule_id: str | None = None, dwell: SettledDwell = "best", window_id: str | None = None
) -> Size:
    """What `exposed_size` answers."""
    if rule_id is None:
        return ask_size(client, "settled_exposed_in_windows_estimate", _which(window_id))
    return ask_size(client, "settled_exposed_under_rule_estimate", {**rule(rule_id, dwell), **_which(window_id)})


def _which(window_id: str | None) -> dict[str, str]:
    """The parameter that names a window; none: all of them."""
    return {} if window_id is None else {"window_id": window_id}
