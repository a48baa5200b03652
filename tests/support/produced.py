"""Records as a test looks at them, one by one, out of the columns that are produced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.messages import Messages


class Produced(NamedTuple):
    """One record; `appended_ms` null where it has none."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    appended_ms: int | None
    urgent: bool


def produced(messages: Iterable[Messages]) -> list[Produced]:
    """All records, in their order."""
    return [
        Produced(
            some.topic,
            key,
            value,
            [(name, column[at]) for name, column in some.headers.items()],
            some.appended_ms[at] if some.appended_ms else None,
            some.urgent,
        )
        for some in messages
        for at, (key, value) in enumerate(zip(some.keys, some.values, strict=True))
    ]
