"""People for measurements, put together column by column: tokens from a seed, statuses and scans as bytes.

Nobody real is in them. Every record of a kind has the same width, so that a hundred thousand scans a second cost the
generator little, and the machine's time is left to what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.bench.scans import VENUES
from producers.partitions import partition_of, partitions_of
from producers.simulator.encoding import Ints, Text, hex_text, join, side_by_side, texts, time_text, uuid7_text
from schemas.base import format_timestamp
from schemas.health import Colour

PROBES: Final = 64
"""The first so many people are set apart: green, and scanned by nobody but a benchmark that watches them arrive."""

_SLICE: Final = 20_000
_YELLOW_EVERY, _RED_EVERY, _UNKNOWN_EVERY = 500, 1000, 100
_DIGITS: Final = texts([f"{number:06d}" for number in range(VENUES)])


class People:
    """So many people, each with a colour: 1 in 1,000 red, 1 in 500 yellow, 1 in 100 without a status, the rest green.

    Args:
        count: of all, the `PROBES` included.
        seed: same seed, same people.
    """

    def __init__(self, count: int, seed: int = 7) -> None:
        self.count = count
        self.tokens: NDArray[np.uint8] = np.random.default_rng(seed).integers(0, 256, (count, 16), np.uint8)

    def colour(self, person: int) -> Colour | None:
        """The status of a person at the start; null: none."""
        if person < PROBES:
            return "green"
        if person % _UNKNOWN_EVERY == 1:
            return None
        if person % _RED_EVERY == 2:
            return "red"
        return "yellow" if person % _YELLOW_EVERY == 3 else "green"

    def probes(self, partitions: int) -> list[int]:
        """One of the people set apart for each partition that one of them falls into, ascending partitions."""
        found: dict[int, int] = {}
        for person in range(min(PROBES, self.count)):
            found.setdefault(partition_of(self.token(person).encode(), partitions), person)
        return [found[partition] for partition in sorted(found)]

    def partitions(self, count: int) -> Ints:
        """The partition of everybody's records on a topic of so many."""
        return np.concatenate(
            [
                partitions_of(hex_text(self.tokens[begin : begin + _SLICE]), count)
                for begin in range(0, self.count, _SLICE)
            ]
        )

    def token(self, person: int) -> str:
        """32 hex digits."""
        return bytes(self.tokens[person]).hex()

    def statuses(self, now: datetime) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Keys and values of everybody's first status, version 1, issued an hour before `now`, valid for two days."""
        for begin in range(0, self.count, _SLICE):
            people = np.arange(begin, min(begin + _SLICE, self.count))
            for colour in ("green", "yellow", "red"):
                chosen = people[[self.colour(int(person)) == colour for person in people]]
                if len(chosen):
                    yield self.status_of(chosen, colour, 1, now - timedelta(hours=1))

    def status_of(
        self, people: Ints, colour: Colour, version: int, issued: datetime
    ) -> tuple[list[bytes], list[bytes]]:
        """Keys and values of a status that these people get."""
        token = hex_text(self.tokens[people])
        rest = (
            f'","colour":"{colour}","labels":[],"reason":"measurement","evidence":null,'
            f'"valid_from":"{format_timestamp(issued)}","valid_until":"{format_timestamp(issued + timedelta(days=2))}",'
            f'"version":{version},"issuer":"taiyuan-health","issued_at":"{format_timestamp(issued)}"}}'
        )
        count = len(people)
        return join(count, [token]), join(count, [b'{"person_token":"', token, rest.encode()])


class ScanWriter:
    """Writes entering scans of given people at one venue each, all at one moment.

    Args:
        people: who there is.
        seed: of the scan ids and the venues.
    """

    def __init__(self, people: People, seed: int) -> None:
        self._people = people
        self._rng = np.random.default_rng(seed)

    def draw(self, low: int, high: int, count: int) -> Ints:
        """So many people of the given range, any of them as likely."""
        return self._rng.integers(low, high, count)

    def scans(self, people: Ints, at_ms: int) -> tuple[list[bytes], bytes]:
        """Keys, and values with a line break after each; venue n is as popular as 1/n."""
        count = len(people)
        token = hex_text(self._people.tokens[people])
        venue = (VENUES ** self._rng.random(count)).astype(np.int64)
        at = np.full(count, at_ms)
        random = np.frombuffer(self._rng.bytes(10 * count), np.uint8).reshape(count, 10)
        parts: Sequence[bytes | Text] = [
            b'{"scan_id":"',
            uuid7_text(at, random),
            b'","person_token":"',
            token,
            b'","venue_id":"TY-140105-',
            _DIGITS[venue],
            b'","point_id":"gate-1","scanned_at":"',
            time_text(at[:1])[0].tobytes(),
            b'","direction":"enter","channel":"phone","trip":null,"gateway":"gateway-1"}\n',
        ]
        return join(count, [token]), side_by_side(count, parts).tobytes()


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
