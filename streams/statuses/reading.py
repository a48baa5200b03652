"""From records of the status topic to columns: a whole batch at once, and one by one where any of them is bad."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any, Final, cast

import numpy as np
from confluent_kafka import Message

from schemas.errors import RejectError
from schemas.fast import FastDecoder, epoch_ms
from schemas.health import HealthStatus
from streams.reference_feed import ReferenceDecoder, Rejected
from streams.statuses.canonical import read_canonical
from streams.statuses.instants import epoch_ms_of
from streams.statuses.kinds import Kinds
from streams.statuses.packing import KEY_BYTES, Integers, Statuses, Words, keys_of

Change = tuple[str, HealthStatus | None]
"""A person token and the status it now has; null where a tombstone erased the person."""

_PLAIN: Final = FastDecoder(HealthStatus, times_as_text=True)
_DIGITS: Final = b"0123456789abcdef"
_TOKEN: Final = re.compile(rb"[0-9a-f]{32}")
_KEY_OF: Final[Callable[[Any], Any]] = Message.key
_VALUE_OF: Final[Callable[[Any], Any]] = Message.value
_TOKEN_OF: Final = attrgetter("person_token")
_KIND: Final = attrgetter("colour", "labels")
_VERSION: Final = attrgetter("version")
_TIMES: Final = tuple(map(attrgetter, ("valid_from", "valid_until", "issued_at")))


class StatusReader:
    """Decodes records of the status topic.

    Args:
        topic: its name.
        kinds: where colours with labels get their numbers.
    """

    def __init__(self, topic: str, kinds: Kinds) -> None:
        self._kinds = kinds
        self.decoder = ReferenceDecoder(topic, FastDecoder(HealthStatus), _TOKEN_OF, check_token)

    def read(self, messages: Sequence[Any]) -> tuple[Words, Statuses, list[Rejected]]:
        """Keys and statuses (kind 0: tombstone) in order, and the messages that are neither."""
        keys, values = list(map(_KEY_OF, messages)), list(map(_VALUE_OF, messages))
        plain = read_canonical(keys, values, self._kinds) or self._read_plain(keys, values)
        if plain is not None:
            return *plain, []
        changes, rejected = self.decoder.decode(messages)
        return *changes_as_columns(changes, self._kinds), rejected

    def _read_plain(self, keys: list[bytes], values: list[bytes | None]) -> tuple[Words, Statuses] | None:
        """All of them, where all are good and their times written as our own encoder does."""
        records = _PLAIN.decode_batch([value for value in values if value is not None])
        if records is None or not _are_tokens(keys):
            return None
        lives = None if len(records) == len(keys) else [value is not None for value in values]
        named = keys if lives is None else list(compress(keys, lives))
        if b"".join(named) != "".join(map(_TOKEN_OF, records)).encode():
            return None
        times = [epoch_ms_of(list(map(time, records))) for time in _TIMES]
        if any(column is None for column in times):
            return None
        columns = _columns(records, cast("list[Integers]", times), self._kinds, lives)
        return keys_of(bytes.fromhex(b"".join(keys).decode())), columns


def check_token(key: bytes) -> None:
    """A key that is a person token.

    Raises:
        RejectError: it is none.
    """
    if _TOKEN.fullmatch(key) is None:
        raise RejectError("key_mismatch")


def changes_as_columns(changes: Sequence[Change], kinds: Kinds) -> tuple[Words, Statuses]:
    """Keys and columns of changes, in order."""
    lives = [status is not None for _, status in changes]
    records = [status for _, status in changes if status is not None]
    times = [np.array(list(map(epoch_ms, map(time, records))), np.int64) for time in _TIMES]
    return keys_of([token for token, _ in changes]), _columns(records, times, kinds, lives)


def _columns(
    records: Sequence[HealthStatus], times: Sequence[Integers], kinds: Kinds, lives: Sequence[bool] | None
) -> Statuses:
    """The columns of records; where `lives` (one flag per entry) is false, a tombstone stands between them."""
    columns = Statuses(
        np.array(kinds.numbers(map(_KIND, records)), np.int64), np.array(list(map(_VERSION, records)), np.int64), *times
    )
    if lives is None:
        return columns
    spread = np.zeros((len(columns), len(lives)), np.int64)
    spread[:, np.array(lives, bool)] = columns
    return Statuses(*spread)


def _are_tokens(keys: Sequence[bytes | None]) -> bool:
    lengths = {0 if key is None else len(key) for key in keys}
    return lengths <= {2 * KEY_BYTES} and not b"".join(keys).translate(None, _DIGITS)  # type: ignore[arg-type]
