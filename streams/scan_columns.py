"""Scans of a batch as columns: what decides a visit apart, and what does not as it is copied into the visit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.scan import Scan
from schemas.utc_times import Ints, Mask


@dataclass(frozen=True, slots=True)
class ScanColumns:
    """Columns of equal length, one entry a scan that is good but for its time.

    Attributes:
        positions: within the batch, ascending.
        heads: the scan as `schemas.fast.encode` writes it, without its last brace.
        tokens: of the persons, 16 bytes each, joined.
        venue_ids: of the scans.
        enters: where the direction is `enter`.
        seconds: `scanned_at` as `encode` writes it, from its seconds on.
        at_ms: `scanned_at` in epoch milliseconds, rounded down.
        read: where the time was read; elsewhere the last two, and the head, mean nothing.
        scan: the scan of an entry; its `scanned_at` may be the text that `encode` writes for it.
    """

    positions: Sequence[int]
    heads: Sequence[str]
    tokens: bytes
    venue_ids: Sequence[str]
    enters: Mask
    seconds: Sequence[str]
    at_ms: Ints
    read: Mask
    scan: Callable[[int], Scan]

    def __len__(self) -> int:
        return len(self.heads)
