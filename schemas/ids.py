"""Ids: deterministic wherever a step may run twice."""

from __future__ import annotations

import hashlib
import hmac

from schemas.alert import AlertKind


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


def alert_id(key: bytes, kind: AlertKind, person: str, venue_id: str, at_ms: int, window_ms: int) -> str:
    """Keyed hash of (kind, person, venue, dedupe window): 32 hex digits.

    The dedupe window is the tumbling window of `window_ms` milliseconds that `at_ms` (event time) falls into. The kind
    carries the level, so a rise in level always has an id of its own. Fields are separated by a byte that UTF-8 text
    never holds, so that no two different tuples share a message.
    """
    message = b"\xff".join((kind.encode(), person.encode(), venue_id.encode(), str(at_ms // window_ms).encode()))
    return hashlib.blake2b(message, digest_size=16, key=key[:64]).hexdigest()
