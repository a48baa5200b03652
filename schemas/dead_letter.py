"""Dead letters: records that could not be processed, byte for byte, with where they came from and why.

Topic `dead.letters.v1`. The value and the key are the raw bytes of the record; the origin and the reason are headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "not_json",
    "bad_utf8",
    "too_deep",
    "too_large",
    "null_value",
    "empty_key",
    "key_mismatch",
    "missing_field",
    "wrong_type",
    "wrong_format",
    "unknown_value",
    "out_of_range",
    "too_far_in_the_future",
    "older_than_retention",
]
REASONS: tuple[Reason, ...] = get_args(Reason)

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record nobody could process.

    Attributes:
        key, value: the raw bytes, null where the record had none.
        source_topic, source_partition, source_offset: where it lay.
        reason: why it was set aside.
        failed_at: RFC 3339.
    """

    key: bytes | None
    value: bytes | None
    source_topic: str
    source_partition: int
    source_offset: int
    reason: Reason
    failed_at: str

    def headers(self) -> Headers:
        """The origin and the reason as Kafka headers (UTF-8)."""
        return [
            ("source_topic", self.source_topic.encode()),
            ("source_partition", str(self.source_partition).encode()),
            ("source_offset", str(self.source_offset).encode()),
            ("reason", self.reason.encode()),
            ("failed_at", self.failed_at.encode()),
        ]

    @classmethod
    def from_message(cls, key: bytes | None, value: bytes | None, headers: Headers) -> DeadLetter:
        """Read a dead letter back.

        Raises:
            ValueError: a header is missing or holds no number, or the reason is not one of `REASONS`.
        """
        found = dict(headers)
        try:
            reason = found["reason"].decode()
            if reason not in REASONS:
                raise ValueError(f"unknown dead-letter reason {reason!r}")
            return cls(
                key=key,
                value=value,
                source_topic=found["source_topic"].decode(),
                source_partition=int(found["source_partition"]),
                source_offset=int(found["source_offset"]),
                reason=reason,
                failed_at=found["failed_at"].decode(),
            )
        except KeyError as error:
            raise ValueError(f"a dead letter without the header {error}") from None
