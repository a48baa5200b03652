"""What a round sends: people, venues and scans from a seed, with what each of them must lead to.

The records are written by hand and the decisions recomputed by `tests.support.recomputation`: none of the code that
decides, encodes or stores in the product has a say here.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.categories import builtin_categories
from schemas.ids import uuid7
from schemas.venue import Venue
from tests.support.recomputation import Expected, recompute
from tests.support.worker_scans import venue

ALERT_ID_KEY = b"faults"
DEDUPE_MS = 2 * 3_600_000
REVIEW_MS = 600_000
BAD_SHARE = 0.005
_PEOPLE = 3_000
_VENUES = 60
_SPAN_MS = 6 * 3_600_000
_SLICE = 5_000

Pair = tuple[bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class GoodScan:
    """A scan that must become a visit: the fingerprints of that visit and of its row by place, and its alert.

    Attributes:
        alert: level and id, where it raises one.
    """

    visit: bytes
    by_place: bytes
    alert: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BadScan:
    """A record that must become a dead letter: the fingerprint of its bytes, and the reason."""

    letter: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Some records to be sent, and what each must lead to."""

    records: list[Pair]
    expected: list[GoodScan | BadScan]

    def __len__(self) -> int:
        return len(self.records)

    def split(self, first: int) -> tuple[Slice, Slice]:
        """The first so many records, and the rest."""
        head = Slice(self.records[:first], self.expected[:first])
        return head, Slice(self.records[first:], self.expected[first:])


def fingerprint(*fields: object) -> bytes:
    """Eight bytes for a tuple of fields."""
    return hashlib.blake2b("\x1f".join(map(str, fields)).encode(), digest_size=8).digest()


def raw_fingerprint(key: bytes | None, value: bytes | None) -> bytes:
    """Eight bytes for a record as it lies on a topic."""
    return hashlib.blake2b(repr((key, value)).encode(), digest_size=8).digest()


class Load:
    """A seeded load.

    Args:
        seed: the same seed and `now`, the same records.
        now: the scans lie within six hours before it.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        self._rng = random.Random(seed)
        self._now_ms = int(now.timestamp() * 1000)
        self._begin_ms = self._now_ms - _SPAN_MS
        self._people = [hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:32] for number in range(_PEOPLE)]
        categories = list(builtin_categories())
        self.venues: list[Venue] = [
            venue(f"V-{number}", category=categories[number % len(categories)]) for number in range(_VENUES)
        ]
        self.statuses: list[Pair] = list(self._statuses())

    def slices(self, scans: int, size: int = _SLICE) -> Iterator[Slice]:
        """So many records, bad ones among them, `size` at a time."""
        for begin in range(0, scans, size):
            yield self._slice(min(size, scans - begin))

    def _statuses(self) -> Iterator[Pair]:
        """Nine in ten are green, one in twenty-five is unknown; one in ten changes colour in mid-span."""
        for person in self._people:
            if self._rng.random() < 0.04:
                continue
            changes = self._rng.random() < 0.1
            for version in range(1, 3 if changes else 2):
                colour = self._rng.choices(("green", "yellow", "red"), (90, 5, 5))[0]
                since = self._begin_ms - 3_600_000 if version == 1 else self._begin_ms + _SPAN_MS // 2
                status: dict[str, object] = {
                    "person_token": person,
                    "colour": colour,
                    "labels": [],
                    "reason": "test",
                    "evidence": None,
                    "valid_from": _text(since),
                    "valid_until": _text(self._now_ms + 48 * 3_600_000),
                    "version": version,
                    "issuer": "authority",
                    "issued_at": _text(since),
                }
                yield person.encode(), json.dumps(status).encode()

    def _slice(self, size: int) -> Slice:
        scans = [self._scan() for _ in range(size)]
        bad = [self._rng.random() < BAD_SHARE for _ in scans]
        good = [json.dumps(scan).encode() for scan, is_bad in zip(scans, bad, strict=True) if not is_bad]
        statuses = [value for _, value in self.statuses if value is not None]
        expected = recompute(good, statuses, self.venues, ALERT_ID_KEY, DEDUPE_MS, REVIEW_MS)
        records: list[Pair] = []
        leads_to: list[GoodScan | BadScan] = []
        for scan, is_bad in zip(scans, bad, strict=True):
            if is_bad:
                record, reason = self._spoil(scan)
                records.append(record)
                leads_to.append(BadScan(raw_fingerprint(*record), reason))
            else:
                records.append((str(scan["person_token"]).encode(), json.dumps(scan).encode()))
                leads_to.append(_expected_visit(scan, expected))
        return Slice(records, leads_to)

    def _scan(self) -> dict[str, str | None]:
        rng = self._rng
        at_ms = self._begin_ms + rng.randrange(_SPAN_MS)
        return {
            "scan_id": uuid7(at_ms, rng.getrandbits(74)),
            "person_token": rng.choice(self._people),
            "venue_id": f"V-{rng.randrange(_VENUES + 1)}",  # one of them nobody registered
            "point_id": f"P-{rng.randrange(4)}",
            "scanned_at": _text(at_ms),
            "direction": "enter" if rng.random() < 0.9 else "leave",
            "channel": rng.choice(("phone", "gate", "staff")),
            "trip": None,
            "gateway": f"gateway-{rng.randrange(3)}",
        }

    def _spoil(self, scan: dict[str, str | None]) -> tuple[Pair, str]:
        key = str(scan["person_token"]).encode()
        future = _text(self._now_ms + 48 * 3_600_000)
        return self._rng.choice(
            [
                ((key, b'{"scan_id": "' + self._rng.randbytes(4).hex().encode()), "not_json"),
                ((b"f" * 32, json.dumps(scan).encode()), "key_mismatch"),
                ((key, json.dumps({**scan, "scanned_at": future}).encode()), "too_far_in_the_future"),
                ((key, None), "null_value"),
                ((key, json.dumps({**scan, "direction": "sideways"}).encode()), "unknown_value"),
            ]
        )


def visit_fingerprints(visit: Mapping[str, object], at_ms: int) -> tuple[bytes, bytes]:
    """Of a visit, and of its row by place; `category` empty where there is none."""
    place = [visit[name] for name in ("person_token", "venue_id", "point_id", "direction", "colour", "category")]
    rest = [visit[name] for name in ("scan_id", "channel", "gateway", "decision")]
    return fingerprint(at_ms, *place, *rest), fingerprint(at_ms, *place)


def _expected_visit(scan: dict[str, str | None], expected: Expected) -> GoodScan:
    _, colour, decision, category = expected.visits[str(scan["scan_id"])]
    visit = {**scan, "colour": colour, "decision": decision, "category": category}
    prints = visit_fingerprints(visit, epoch_ms(str(scan["scanned_at"])))
    return GoodScan(*prints, expected.raised.get(str(scan["scan_id"])))


def epoch_ms(text: str) -> int:
    """An RFC 3339 time as epoch milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _text(at_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
