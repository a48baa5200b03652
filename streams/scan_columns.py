"""Scans of a batch as columns: what decides a visit apart, and what does not as it is copied into the visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.utc_times import Characters, Ints, Mask


@dataclass(frozen=True, slots=True)
class ScanColumns:
    """Columns of equal length, one entry a scan that is good but for its time.

    Attributes:
        positions: within the batch, ascending.
        heads, tails: two pieces of the scan as `schemas.fast.encode` writes it, without its last brace; the second one
            is empty, or the first ends within `scanned_at`.
        tokens: of the persons, 16 bytes each, joined.
        venue_ids: of the scans.
        enters: where the direction is `enter`.
        seconds: `scanned_at` from its seconds on, with microseconds also where they are zero: rows of 10 characters.
        at_ms: `scanned_at` in epoch milliseconds, rounded down.
        read: where the time was read; elsewhere nothing of an entry but its position means anything.
    """

    positions: Sequence[int]
    heads: Sequence[str]
    tails: Sequence[str]
    tokens: bytes
    venue_ids: Sequence[str]
    enters: Mask
    seconds: Characters
    at_ms: Ints
    read: Mask

    def __len__(self) -> int:
        return len(self.heads)
