"""Ids: deterministic wherever a step may run twice."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from schemas.alert import AlertKind

_SEPARATOR: Final = b"\xff"


def person_token(epoch_key: bytes, person_id: str) -> str:
    """`HMAC-SHA256(epoch key, person id)`, first 128 bits, 32 hex digits.

    Raises:
        ValueError: the key has fewer than 16 bytes (too weak to keep ids apart from tokens), or the id is empty.
    """
    if len(epoch_key) < 16:
        raise ValueError("a token key needs at least 16 bytes")
    if not person_id:
        raise ValueError("an empty person id has no token")
    return hmac.new(epoch_key, person_id.encode(), hashlib.sha256).hexdigest()[:32]


def uuid7(epoch_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) of a time in milliseconds and 74 random bits.

    Raises:
        ValueError: either does not fit its field.
    """
    if not 0 <= epoch_ms < 1 << 48:
        raise ValueError("the time does not fit 48 bits")
    if not 0 <= random_bits < 1 << 74:
        raise ValueError("more than 74 random bits")
    rand_a, rand_b = random_bits >> 62, random_bits & ((1 << 62) - 1)
    text = f"{epoch_ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class AlertIds:
    """Ids of alerts of one kind: a keyed hash of (kind, person, venue, dedupe window), 32 hex digits.

    The dedupe window is the tumbling window of event time that the scan falls into. The kind carries the level, so a
    rise in level always has an id of its own. Fields are separated by a byte that UTF-8 text never holds, so that no
    two different tuples share a message.

    Args:
        key: of the hash; its first 64 bytes count.
        kind: of the alerts.
        window_ms: length of the window, milliseconds.
    """

    def __init__(self, key: bytes, kind: AlertKind, window_ms: int) -> None:
        self._begun = hashlib.blake2b(kind.encode() + _SEPARATOR, digest_size=16, key=key[:64])
        self._window_ms = window_ms

    def of(self, persons: Iterable[str], venue_ids: Iterable[str], at_ms: Iterable[int]) -> list[str]:
        """An id for each person, at a venue, scanned at a time in epoch milliseconds."""
        ids = []
        for person, venue_id, at in zip(persons, venue_ids, at_ms, strict=False):
            hashed = self._begun.copy()
            hashed.update(_SEPARATOR.join((person.encode(), venue_id.encode(), b"%d" % (at // self._window_ms))))
            ids.append(hashed.hexdigest())
        return ids


def alert_id(key: bytes, kind: AlertKind, person: str, venue_id: str, at_ms: int, window_ms: int) -> str:
    """See `AlertIds`."""
    return AlertIds(key, kind, window_ms).of((person,), (venue_id,), (at_ms,))[0]
