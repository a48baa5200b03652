"""From raw records to scans: a whole batch at once, and one by one where any of them is bad. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from typing import Any, Final, cast, overload

import numpy as np
from numpy.typing import NDArray

from schemas.dead_letter import REASONS, Reason
from schemas.errors import RejectError
from schemas.fast import FastDecoder, epoch_ms
from schemas.scan import Scan

_DECODER: Final = FastDecoder(Scan)
_TOKEN_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """Which times are believed: at most `max_future_ms` ahead of Kafka's timestamp of the record, and at most
    `retention_ms` behind it. That clock is the brokers' where the topic has LogAppendTime, as `topics apply` makes it.

    `retention_ms` is null on a platform for historical files.
    """

    max_future_ms: int
    retention_ms: int | None

    @overload
    def believe(self, age_ms: int) -> bool: ...

    @overload
    def believe(self, age_ms: NDArray[np.int64]) -> NDArray[np.bool_]: ...

    def believe(self, age_ms: Any) -> Any:
        """Whether a scan is believed whose record's timestamp is so many milliseconds after it; of a column, each."""
        not_ahead = age_ms >= -self.max_future_ms
        return not_ahead if self.retention_ms is None else not_ahead & (age_ms <= self.retention_ms)


@dataclass(frozen=True, slots=True)
class Intake:
    """A batch taken apart.

    Attributes:
        positions: of the good records within the batch, ascending.
        scans: the good records; `scanned_ms` their `scanned_at` in epoch milliseconds.
        rejected: position and reason of every other record, ascending.
    """

    positions: Sequence[int]
    scans: Sequence[Scan]
    scanned_ms: Sequence[int]
    rejected: Sequence[tuple[int, Reason]]


def take_in(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], appended_ms: Sequence[int], limits: Limits
) -> Intake:
    """Decode and check a batch of records with their Kafka timestamps, epoch milliseconds.

    The result is the same as `take_in_singly`, several times faster when all are good.
    """
    scans = _DECODER.decode_batch(values)
    if scans is not None and _keys_match(keys, scans):
        scanned_ms = [epoch_ms(scan.scanned_at) for scan in scans]
        if all(map(limits.believe, map(sub, appended_ms, scanned_ms))):
            return Intake(range(len(scans)), scans, scanned_ms, ())
    return take_in_singly(keys, values, appended_ms, limits)


def take_in_singly(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], appended_ms: Sequence[int], limits: Limits
) -> Intake:
    """Decode and check record by record: good records around a bad one go on."""
    positions: list[int] = []
    scans: list[Scan] = []
    times: list[int] = []
    rejected: list[tuple[int, Reason]] = []
    for position, (key, value, at_ms) in enumerate(zip(keys, values, appended_ms, strict=True)):
        try:
            scan = _DECODER.decode(value)
            scanned_ms = epoch_ms(scan.scanned_at)
            check_key(key, scan.person_token)
            _check_time(at_ms - scanned_ms, limits)
        except RejectError as error:
            rejected.append((position, reason_of(error)))
        else:
            positions.append(position)
            scans.append(scan)
            times.append(scanned_ms)
    return Intake(positions, scans, times, rejected)


def check_key(key: bytes | None, expected: str) -> None:
    """A record's key must be the id it is about: partitioning and compaction go by the key.

    Raises:
        RejectError: `empty_key` or `key_mismatch`.
    """
    if not key:
        raise RejectError("empty_key")
    if key != expected.encode():
        raise RejectError("key_mismatch")


def reason_of(error: RejectError) -> Reason:
    """The dead-letter reason of an error.

    Raises:
        ValueError: the error carries none of `schemas.dead_letter.REASONS`.
    """
    if error.reason not in REASONS:
        raise ValueError(f"not a dead-letter reason: {error.reason}")
    return error.reason


def _check_time(age_ms: int, limits: Limits) -> None:
    if not limits.believe(age_ms):
        raise RejectError("too_far_in_the_future" if age_ms < 0 else "older_than_retention")


def _keys_match(keys: Sequence[bytes | None], scans: Sequence[Scan]) -> bool:
    """Whether every key is its scan's token: all are as long as a token, and so are all tokens, so joined they tell."""
    if None in keys:
        return False
    known = cast("Sequence[bytes]", keys)
    if not {_TOKEN_LENGTH}.issuperset(map(len, known)):
        return False
    return b"".join(known) == "".join([scan.person_token for scan in scans]).encode()
