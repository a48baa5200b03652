"""Co-presence the obvious way: docs/co-presence.md sentence by sentence, O(n²), nothing shared with the SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000
UNKNOWN_CATEGORY = (60, 240)


@dataclass(frozen=True)
class OracleScan:
    """A scan; `trip` is (vehicle, run) or None; `at` and `processed_at` are milliseconds; `origin` is its identity."""

    person: str
    venue: str
    trip: tuple[str, str] | None
    at: int
    direction: str
    category: str | None
    origin: tuple[str, int, int]
    processed_at: int

    @property
    def place(self) -> tuple[str, ...]:
        return ("trip", *self.trip) if self.trip is not None else ("venue", self.venue)

    @property
    def order(self) -> tuple[int, tuple[str, int, int]]:
        return (self.at, self.origin)


@dataclass(frozen=True)
class OracleStay:
    person: str
    venue: str
    place: tuple[str, ...]
    start: int
    end: int
    dwell: str


@dataclass(frozen=True)
class OracleMeeting:
    contact: str
    venue: str
    start: int
    end: int
    person_dwell: str
    contact_dwell: str


@dataclass(frozen=True)
class OracleContact:
    overlap_s: int
    first_meeting: int
    last_meeting: int
    meetings: int
    venues: tuple[str, ...]


def unique_scans(scans: Sequence[OracleScan]) -> list[OracleScan]:
    """One scan per identity: the version that was processed last."""
    newest: dict[tuple[str, int, int], OracleScan] = {}
    for scan in scans:
        if scan.origin not in newest or newest[scan.origin].processed_at < scan.processed_at:
            newest[scan.origin] = scan
    return list(newest.values())


def stays(scans: Sequence[OracleScan], categories: Mapping[str, tuple[int, int]]) -> list[OracleStay]:
    """The stay of every entry; `categories` gives default and longest minutes."""
    found = []
    scans = unique_scans(scans)
    for entry in scans:
        if entry.direction != "enter":
            continue
        later = sorted(
            (scan for scan in scans if scan.person == entry.person and scan.order > entry.order),
            key=lambda scan: scan.order,
        )
        next_entry = next((scan for scan in later if scan.direction == "enter"), None)
        leave = next(
            (
                scan
                for scan in later
                if scan.direction == "leave"
                and scan.venue == entry.venue
                and (next_entry is None or scan.order < next_entry.order)
            ),
            None,
        )
        default, longest = categories.get(entry.category or "", UNKNOWN_CATEGORY)
        if leave is not None and leave.at <= entry.at + DAY_MS:
            end, dwell = leave.at, "explicit"
        elif next_entry is not None and next_entry.at <= entry.at + longest * 60_000:
            end, dwell = next_entry.at, "next_scan"
        else:
            end, dwell = entry.at + default * 60_000, "default"
        found.append(OracleStay(entry.person, entry.venue, entry.place, entry.at, end, dwell))
    return found


def meetings(
    scans: Sequence[OracleScan], categories: Mapping[str, tuple[int, int]], person: str, since: int, until: int
) -> list[OracleMeeting]:
    """Every meeting of a person in [since, until)."""
    all_stays = stays(scans, categories)
    found = []
    for mine in all_stays:
        for theirs in all_stays:
            if mine.person != person or theirs.person == person or mine.place != theirs.place:
                continue
            start = max(mine.start, theirs.start, since)
            end = min(mine.end, theirs.end, until)
            if start < end:
                found.append(OracleMeeting(theirs.person, theirs.venue, start, end, mine.dwell, theirs.dwell))
    return found


def contacts(
    scans: Sequence[OracleScan], categories: Mapping[str, tuple[int, int]], person: str, since: int, until: int
) -> dict[str, OracleContact]:
    """Everybody with at least one meeting."""
    found: dict[str, list[OracleMeeting]] = {}
    for meeting in meetings(scans, categories, person, since, until):
        found.setdefault(meeting.contact, []).append(meeting)
    return {
        contact: OracleContact(
            overlap_s=sum(meeting.end - meeting.start for meeting in together) // 1000,
            first_meeting=min(meeting.start for meeting in together),
            last_meeting=max(meeting.start for meeting in together),
            meetings=len(together),
            venues=tuple(sorted({meeting.venue for meeting in together})),
        )
        for contact, together in found.items()
    }


def in_windows(
    scans: Sequence[OracleScan], windows: Mapping[str, tuple[str, int, int]]
) -> dict[str, dict[str, tuple[int, int, int]]]:
    """Per window (venue, start, end) and person: number of entries strictly inside, the first and the last of them."""
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for window_id, (venue, start, end) in windows.items():
        entries: dict[str, list[int]] = {}
        for scan in unique_scans(scans):
            if scan.direction == "enter" and scan.venue == venue and start < scan.at < end:
                entries.setdefault(scan.person, []).append(scan.at)
        found[window_id] = {person: (len(times), min(times), max(times)) for person, times in entries.items()}
    return found
