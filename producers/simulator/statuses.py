"""Health statuses as JSON, without a loop over people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from producers.simulator.encoding import Text, hex_text, join, time_text
from producers.simulator.people import COLOURS, EXPIRED, GREEN, RED, UNKNOWN, YELLOW, People

_BATCH: Final = 20_000
_DAY_MS: Final = 86_400_000
_VALID_DAYS: Final = 30

_REASONS: Final = {
    "green": (b"[]", b"no known risk"),
    "yellow": (b'["secondary_contact"]', b"contact of a close contact, seven days at home"),
    "red": (b'["confirmed"]', b"positive nucleic-acid test"),
}


def encode_statuses(
    tokens: NDArray[np.uint8], colour: str, valid_from: NDArray[np.int64], valid_until: NDArray[np.int64], version: int
) -> tuple[list[bytes], list[bytes]]:
    """Keys and values of statuses of one colour; times in milliseconds since 1970."""
    labels, reason = _REASONS[colour]
    token: Text = hex_text(tokens)
    since = time_text(valid_from)
    values = join(
        len(token),
        [
            b'{"person_token":"',
            token,
            b'","colour":"' + colour.encode() + b'","labels":' + labels + b',"reason":"' + reason,
            b'","evidence":null,"valid_from":"',
            since,
            b'","valid_until":"',
            time_text(valid_until),
            b'","version":' + str(version).encode() + b',"issuer":"health-authority","issued_at":"',
            since,
            b'"}',
        ],
    )
    return join(len(token), [token]), values


def initial_statuses(people: People, at_ms: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """The residents' statuses at the start, in batches of keys and values.

    Issued one to eight days before; in force for 30 days. An expired one ended within the day before. Unknown people
    have none.
    """
    age = (people.tokens[:, 0].astype(np.int64) % 7 + 1) * _DAY_MS
    issued = at_ms - age
    for kind in (GREEN, YELLOW, RED, EXPIRED, UNKNOWN):
        if kind == UNKNOWN:
            return
        rows = np.nonzero(people.colour == kind)[0]
        for begin in range(0, len(rows), _BATCH):
            part = rows[begin : begin + _BATCH]
            since = issued[part]
            if kind == EXPIRED:
                until = at_ms - (people.tokens[part, 1].astype(np.int64) + 1) * (_DAY_MS // 256)
                yield encode_statuses(people.tokens[part], "green", since - _DAY_MS, until, 1)
            else:
                yield encode_statuses(people.tokens[part], COLOURS[kind], since, since + _VALID_DAYS * _DAY_MS, 1)


def changed_status(tokens: NDArray[np.uint8], colour: str, at_ms: int, version: int) -> tuple[list[bytes], list[bytes]]:
    """Statuses issued at `at_ms` and in force from then on for 30 days."""
    since = np.full(len(tokens), at_ms, np.int64)
    return encode_statuses(tokens, colour, since, since + _VALID_DAYS * _DAY_MS, version)
