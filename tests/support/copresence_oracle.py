"""Co-presence the obvious way: docs/co-presence.md sentence by sentence, O(n²), nothing shared with the SQL."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
UNKNOWN_CATEGORY = (60, 240)
EARTH_M = 6_371_008.8


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
    point: str = "gate-1"
    carriage: str = ""
    seat: str = ""
    late: bool = False

    @property
    def place(self) -> tuple[str, ...]:
        return ("trip", *self.trip) if self.trip is not None else ("venue", self.venue)

    @property
    def order(self) -> tuple[int, tuple[str, int, int]]:
        return (self.at, self.origin)


@dataclass(frozen=True)
class OracleRule:
    """A rule as docs/co-presence.md has it."""

    place: str = "venue_or_trip"
    by_carriage: bool = False
    seat_rows: int | None = None
    instant: bool = False
    min_minutes: int = 0
    strict: bool = False
    sum_over: str = "single_meeting"
    tail_minutes: int = 0


@dataclass(frozen=True)
class OracleStay:
    scan: OracleScan
    start: int
    end: int
    dwell: str


@dataclass(frozen=True)
class OraclePiece:
    contact: str
    start: int
    end: int
    indirect: bool
    mine: OracleStay
    theirs: OracleStay


@dataclass(frozen=True)
class OracleMeeting:
    contact: str
    start: int
    end: int
    indirect: bool
    person_dwell: str
    contact_dwell: str
    pieces: tuple[OraclePiece, ...]


@dataclass(frozen=True)
class OracleContact:
    overlap_s: int
    counted_s: int
    direct_s: int
    first_meeting: int
    last_meeting: int
    meetings: int
    indirect: bool
    venues: tuple[str, ...]
    person_dwells: tuple[str, ...]
    contact_dwells: tuple[str, ...]
    late: bool


@dataclass(frozen=True)
class OracleCity:
    """All there is to know: scans, default and longest minutes by category, positions of venues, the zone's name."""

    scans: Sequence[OracleScan]
    categories: Mapping[str, tuple[int, int]]
    positions: Mapping[str, tuple[float, float]]
    zone: str = "Asia/Shanghai"


def unique_scans(scans: Iterable[OracleScan]) -> list[OracleScan]:
    """One scan per identity: the version that was processed last."""
    newest: dict[tuple[str, int, int], OracleScan] = {}
    for scan in scans:
        if scan.origin not in newest or newest[scan.origin].processed_at < scan.processed_at:
            newest[scan.origin] = scan
    return list(newest.values())


def stays(city: OracleCity, mode: str = "best") -> list[OracleStay]:
    """The stay of every entry that begins one."""
    found = []
    scans = unique_scans(city.scans)
    for entry in scans:
        if entry.direction != "enter":
            continue
        default, longest = city.categories.get(entry.category or "", UNKNOWN_CATEGORY)
        leave, following = _leave_and_next(entry, scans)
        in_time = leave is not None and leave <= entry.at + DAY_MS
        soon = following is not None and following <= entry.at + longest * MINUTE_MS
        if mode in ("explicit", "best") and in_time:
            end, dwell = leave, "explicit"
        elif mode == "explicit":
            continue
        elif mode in ("next_scan", "best") and soon:
            end, dwell = following, "next_scan"
        elif mode == "next_scan":
            end, dwell = entry.at + longest * MINUTE_MS, "max_stay"
        elif mode == "none":
            end, dwell = entry.at, "none"
        else:
            end, dwell = entry.at + default * MINUTE_MS, "default"
        assert end is not None
        found.append(OracleStay(entry, entry.at, end, dwell))
    return found


def _leave_and_next(entry: OracleScan, scans: Sequence[OracleScan]) -> tuple[int | None, int | None]:
    later = sorted((s for s in scans if s.person == entry.person and s.order > entry.order), key=lambda s: s.order)
    elsewhere = next((s for s in later if s.direction == "enter" and s.place != entry.place), None)
    leaves = [s for s in later if s.direction == "leave" and s.venue == entry.venue]
    leave = next((s for s in leaves if elsewhere is None or s.order < elsewhere.order), None)
    return (None if leave is None else leave.at), (None if elsewhere is None else elsewhere.at)


def cell(lat: float, lon: float) -> str:
    """The cell of the 800 m grid."""
    row = math.floor(EARTH_M * math.radians(lat) / 800)
    width = math.cos((row + 0.5) * 800 / EARTH_M)
    return f"{row}:{math.floor(EARTH_M * width * math.radians(lon) / 800)}"


def place_of(scan: OracleScan, rule: OracleRule, city: OracleCity) -> tuple[str, ...] | None:
    """The place of a scan under a rule, before trips are narrowed; None where it has none."""
    if rule.place == "venue":
        return (scan.venue,)
    if rule.place == "cell_800m":
        if scan.trip is not None or scan.venue not in city.positions:
            return None
        return (cell(*city.positions[scan.venue]),)
    return (*scan.place, scan.point) if rule.place == "point" else scan.place


def apart_on_trip(one: OracleScan, other: OracleScan, rule: OracleRule) -> bool:
    """Whether carriage or seat say that two on one trip were not at one place."""
    if one.trip is None or not rule.by_carriage:
        return False
    if one.carriage and other.carriage and one.carriage != other.carriage:
        return True
    rows = [_row(scan.seat) for scan in (one, other)]
    known = one.carriage == other.carriage and None not in rows and rule.seat_rows is not None
    return known and abs(rows[0] - rows[1]) > rule.seat_rows  # type: ignore[operator]


def _row(seat: str) -> int | None:
    digits = re.match(r"[0-9]*", seat)
    return int(digits[0]) if digits and 1 <= len(digits[0]) <= 4 else None


def pieces(
    city: OracleCity, person: str, since: int, until: int, rule: OracleRule, mode: str = "best"
) -> list[OraclePiece]:
    """Everything that a stay of the person has in common with a stay of somebody else."""
    found = []
    others = stays(city, "none") if rule.instant else stays(city, mode)
    for mine in stays(city, mode):
        if mine.scan.person != person or (place := place_of(mine.scan, rule, city)) is None:
            continue
        tail = min(mine.end - mine.start, rule.tail_minutes * MINUTE_MS)
        for theirs in others:
            if theirs.scan.person == person or place_of(theirs.scan, rule, city) != place:
                continue
            if apart_on_trip(mine.scan, theirs.scan, rule):
                continue
            start = max(mine.start, theirs.start, since)
            if rule.instant:
                if mine.start < theirs.start < mine.end and since <= theirs.start < until:
                    found.append(OraclePiece(theirs.scan.person, start, start, False, mine, theirs))
                continue
            after = theirs.start >= mine.end
            end = min(theirs.end, mine.end + tail if after else mine.end, until)
            if start < end:
                found.append(OraclePiece(theirs.scan.person, start, end, after, mine, theirs))
    return found


def meetings(
    city: OracleCity, person: str, since: int, until: int, rule: OracleRule | None = None, mode: str = "best"
) -> list[OracleMeeting]:
    """Every meeting of a person in [since, until)."""
    rule = rule or OracleRule()
    together: dict[tuple[str, tuple[str, ...] | None], list[OraclePiece]] = {}
    for piece in pieces(city, person, since, until, rule, mode):
        together.setdefault((piece.contact, place_of(piece.theirs.scan, rule, city)), []).append(piece)
    return [
        OracleMeeting(
            contact,
            min(piece.start for piece in stretch),
            max(piece.end for piece in stretch),
            all(piece.indirect for piece in stretch),
            "+".join(sorted({piece.mine.dwell for piece in stretch})),
            "+".join(sorted({piece.theirs.dwell for piece in stretch})),
            tuple(stretch),
        )
        for (contact, _), found in together.items()
        for stretch in _stretches(found)
    ]


def _stretches(found: Sequence[OraclePiece]) -> list[list[OraclePiece]]:
    parts = [(piece.start, piece.end, piece) for piece in found]
    return [[piece for _, _, piece in stretch] for stretch in stretches_of(parts)]


def stretches_of(parts: Sequence[Any]) -> list[list[Any]]:
    """Parts (start, end, ...) in groups that cover a stretch without a gap; those that touch belong together."""
    stretches: list[list[Any]] = []
    for part in sorted(parts, key=lambda part: part[:2]):
        if stretches and part[0] <= max(earlier[1] for earlier in stretches[-1]):
            stretches[-1].append(part)
        else:
            stretches.append([part])
    return stretches


def covered(parts: Iterable[tuple[int, int]], begin: int, end: int) -> int:
    """How much of [begin, end) the parts cover: between any two neighbouring ends of parts, all or nothing."""
    inside = [(max(start, begin), min(stop, end)) for start, stop in parts]
    inside = [(start, stop) for start, stop in inside if start < stop]
    edges = sorted({edge for part in inside for edge in part})
    return sum(
        right - left
        for left, right in itertools.pairwise(edges)
        if any(start <= left and right <= stop for start, stop in inside)
    )


def counted(rule: OracleRule, parts: Sequence[tuple[int, int]], zone: str) -> int:
    """The milliseconds of meetings that the rule holds against its minimum."""
    if rule.sum_over == "single_meeting":
        return max(end - start for start, end in parts)
    if rule.sum_over == "rolling_24h":
        begins = [start for start, _ in parts] + [end - DAY_MS for _, end in parts]
        return max(covered(parts, begin, begin + DAY_MS) for begin in begins)
    days = {midnight for start, end in parts for midnight in _midnights(start, end, ZoneInfo(zone))}
    return max(covered(parts, begin, end) for begin, end in days)


def _midnights(start: int, end: int, zone: ZoneInfo) -> Iterable[tuple[int, int]]:
    day = datetime.fromtimestamp(start / 1000, UTC).astimezone(zone).date()
    while True:
        begin, after = (
            round(datetime(each.year, each.month, each.day, tzinfo=zone).timestamp() * 1000)
            for each in (day, day + timedelta(days=1))
        )
        if begin > end:
            return
        yield begin, after
        day += timedelta(days=1)


def meets_rule(length_ms: int, rule: OracleRule) -> bool:
    """Whether so long is long enough."""
    minutes = length_ms / MINUTE_MS
    return minutes > rule.min_minutes or (minutes == rule.min_minutes and not rule.strict)


def contacts(
    city: OracleCity, person: str, since: int, until: int, rule: OracleRule | None = None, mode: str = "best"
) -> dict[str, OracleContact]:
    """Everybody whom the rule makes a contact."""
    rule = rule or OracleRule()
    return contacts_of_meetings(city, meetings(city, person, since, until, rule, mode), since, until, rule)


def contacts_of_meetings(
    city: OracleCity, all_meetings: Iterable[OracleMeeting], since: int, until: int, rule: OracleRule
) -> dict[str, OracleContact]:
    """Everybody whom the rule makes a contact, by these meetings."""
    by_contact: dict[str, list[OracleMeeting]] = {}
    for meeting in all_meetings:
        by_contact.setdefault(meeting.contact, []).append(meeting)
    contacts = {}
    for contact, found in by_contact.items():
        length = counted(rule, [(meeting.start, meeting.end) for meeting in found], city.zone)
        if meets_rule(length, rule):
            contacts[contact] = _contact(found, length, since, until)
    return contacts


def _contact(found: Sequence[OracleMeeting], counted_ms: int, since: int, until: int) -> OracleContact:
    all_pieces = [piece for meeting in found for piece in meeting.pieces]
    direct = [(piece.start, piece.end) for piece in all_pieces if not piece.indirect]
    return OracleContact(
        overlap_s=covered([(meeting.start, meeting.end) for meeting in found], since, until) // 1000,
        counted_s=counted_ms // 1000,
        direct_s=covered(direct, since, until) // 1000,
        first_meeting=min(meeting.start for meeting in found),
        last_meeting=max(meeting.start for meeting in found),
        meetings=len(found),
        indirect=all(meeting.indirect for meeting in found),
        venues=tuple(sorted({piece.theirs.scan.venue for piece in all_pieces})),
        person_dwells=tuple(sorted({piece.mine.dwell for piece in all_pieces})),
        contact_dwells=tuple(sorted({piece.theirs.dwell for piece in all_pieces})),
        late=any(piece.theirs.scan.late for piece in all_pieces),
    )


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
