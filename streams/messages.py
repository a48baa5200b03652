"""Records that carry headers, as columns: alerts and dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.dead_letter import DeadLetter


@dataclass(frozen=True, slots=True)
class Messages:
    """Records for one topic, as columns of equal length.

    Attributes:
        topic: where to; its partition goes by the key.
        keys, values: raw bytes, null where a record has none.
        headers: of each name a value a record.
        appended_ms: of alerts, Kafka's timestamps of the scans that raised them, epoch milliseconds; else empty.
        urgent: whether they may not wait behind others.
    """

    topic: str
    keys: Sequence[bytes | None] = field(repr=False)
    values: Sequence[bytes | None] = field(repr=False)
    headers: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    appended_ms: Sequence[int] = ()
    urgent: bool = False

    def __len__(self) -> int:
        return len(self.keys)


def dead_letters(topic: str, letters: Sequence[DeadLetter]) -> Messages:
    """Dead letters as they go on their topic: key and value byte for byte, origin and reason as headers."""
    headers: dict[str, list[bytes]] = {}
    for letter in letters:
        for name, value in letter.headers():
            headers.setdefault(name, []).append(value)
    return Messages(topic, [letter.key for letter in letters], [letter.value for letter in letters], headers)
