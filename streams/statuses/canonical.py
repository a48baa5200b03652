"""Statuses written as our own encoder writes them, read by the column, without an object each. Pure.

A batch with anything else in it, a tombstone for one, is left to `streams.statuses.reading`: nothing is rejected here,
and a property test holds both to the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np
from pydantic import TypeAdapter

from schemas.base import PersonToken
from schemas.health import Colour, Labels
from schemas.side_by_side import Lines, TextList, fixed
from streams.statuses.kinds import Kinds
from streams.statuses.packing import Integers, Statuses, Words, keys_of

_TOKEN: Final = fixed(PersonToken)
_COLOURS: Final[tuple[Colour, ...]] = get_args(Colour)
_LABELS: Final[TextList] = TypeAdapter(Labels)
_MOST_TEXT: Final = 200
_LAST_VERSION: Final = 2**53


def read_canonical(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], kinds: Kinds
) -> tuple[Words, Statuses] | None:
    """Keys and columns of statuses, all of them canonical and each with its person's token for a key; else null."""
    lines = Lines(values, ascii_only=False)
    lines.literal('{"person_token":"')
    tokens = lines.fixed(_TOKEN).tobytes()
    lines.literal('","colour":"')
    colour = lines.one_of(_COLOURS)
    lines.literal(',"labels":')
    labelled, labels = lines.lists(_LABELS, '],"reason":')
    lines.literal(',"reason":"')
    lines.free_text(_MOST_TEXT)
    lines.literal('","evidence":')
    lines.or_null(lambda: lines.quoted(lambda: lines.free_text(_MOST_TEXT)))
    lines.literal(',"valid_from":"')
    since = lines.time()
    lines.literal('","valid_until":"')
    until = lines.time()
    lines.literal('","version":')
    version = lines.integer()
    lines.literal(',"issuer":"')
    lines.identifier()
    lines.literal('","issued_at":"')
    issued = lines.time()
    lines.literal('"}')
    lines.good &= lines.ended() & (version <= _LAST_VERSION)
    if not lines.good.all() or None in keys or b"".join(keys) != tokens:  # type: ignore[arg-type]
        return None
    if any(len(key) != _TOKEN[1] for key in keys):  # type: ignore[arg-type]
        return None
    kind = _kinds(colour, labelled, labels, kinds)
    return keys_of(bytes.fromhex(tokens.decode())), Statuses(kind, version, since.at_ms, until.at_ms, issued.at_ms)


def _kinds(colour: Integers, labelled: Sequence[int], labels: Sequence[tuple[str, ...]], kinds: Kinds) -> Integers:
    """The number of each colour with its labels."""
    plain = np.delete(colour, labelled)
    numbers = np.zeros(len(_COLOURS), np.int64)
    for number in np.unique(plain).tolist():
        (numbers[number],) = kinds.numbers([(_COLOURS[number], ())])
    found: Integers = numbers[colour]
    if labelled:
        found[labelled] = kinds.numbers(
            (_COLOURS[number], some) for number, some in zip(colour[labelled].tolist(), labels, strict=True)
        )
    return found
