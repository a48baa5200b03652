"""What statuses and venues have in common: records of a compacted topic, decoded, the bad ones set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from schemas.base import Record, format_timestamp
from schemas.dead_letter import DeadLetter
from schemas.errors import RejectError
from schemas.fast import FastDecoder
from streams.intake import check_key, reason_of

R = TypeVar("R", bound=Record)

Rejected = tuple[Any, RejectError]
"""A message that was set aside, and why."""


@dataclass(frozen=True, slots=True)
class ReferenceDecoder(Generic[R]):
    """Decodes records of a compacted topic.

    Attributes:
        topic: its name.
        decoder: for the values.
        id_of: the id that a record's key must be.
        check_id: raises RejectError for a key that cannot be an id; a tombstone has nothing else to be checked.
    """

    topic: str
    decoder: FastDecoder[R]
    id_of: Callable[[R], str]
    check_id: Callable[[bytes], None]

    def decode(self, messages: Sequence[Any]) -> tuple[list[tuple[str, R | None]], list[Rejected]]:
        """Ids with their record (null: tombstone) in order, and the messages that are neither."""
        changes: list[tuple[str, R | None]] = []
        rejected: list[Rejected] = []
        for message, record in zip(messages, self._records(messages), strict=True):
            key = message.key()
            try:
                if record is None and message.value() is None:
                    if not key:
                        raise RejectError("empty_key")
                    self.check_id(key)
                    changes.append((key.decode(), None))
                    continue
                found = self.decoder.decode(message.value()) if record is None else record
                check_key(key, self.id_of(found))
            except RejectError as error:
                rejected.append((message, error))
            else:
                changes.append((self.id_of(found), found))
        return changes, rejected

    def _records(self, messages: Sequence[Any]) -> Sequence[R | None]:
        """All records where all are good, else nothing: then they are decoded one by one."""
        return self.decoder.decode_batch([message.value() for message in messages]) or [None] * len(messages)

    def dead_letter(self, message: Any, error: RejectError) -> DeadLetter:
        """A message that was set aside."""
        return DeadLetter(
            key=message.key(),
            value=message.value(),
            source_topic=self.topic,
            source_partition=message.partition(),
            source_offset=message.offset(),
            reason=reason_of(error),
            failed_at=format_timestamp(datetime.now(UTC)),
        )
