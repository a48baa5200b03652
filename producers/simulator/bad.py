"""Records that no reader can process, made from valid ones: what a topic meets sooner or later."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import numpy as np

from producers.simulator.events import Batch
from schemas.topics import MAX_RECORD_BYTES

Record = tuple[bytes | None, bytes | None]
_DEEP: Final = 5_000


def _field(value: bytes, name: bytes, replacement: bytes) -> bytes:
    return re.sub(rb'"' + name + rb'":"[^"]*"', lambda _: replacement, value, count=1)


BAD_KINDS: Final[dict[str, Callable[[bytes, bytes], Record]]] = {
    "not_json": lambda key, value: (key, value[:-9]),
    "wrong_type": lambda key, value: (key, _field(value, b"venue_id", b'"venue_id":12345')),
    "missing_field": lambda key, value: (key, value.replace(b'"direction":"', b'"way":"')),
    "unknown_value": lambda key, value: (key, _field(value, b"direction", b'"direction":"sideways"')),
    "null_value": lambda key, value: (key, None),
    "too_deep": lambda key, value: (key, b'{"x":' + b"[" * _DEEP + b"]" * _DEEP + b"," + value[1:]),
    "bad_utf8": lambda key, value: (key, _field(value, b"gateway", b'"gateway":"\xff\xfe"')),
    "far_future": lambda key, value: (key, _field(value, b"scanned_at", b'"scanned_at":"2999-01-01T00:00:00Z"')),
    "empty_key": lambda key, value: (b"", value),
    "null_key": lambda key, value: (None, value),
    "other_key": lambda key, value: (key[::-1] + b"x", value),
    "too_large": lambda key, value: (key, b'{"x":"' + b"x" * MAX_RECORD_BYTES + b'",' + value[1:]),
}
"""Makes (key, value) of a bad record out of a good one's, by what is wrong with it."""


def with_bad_records(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """The batch with so many bad records, as a share of the good ones, at random places among them."""
    count = int(len(batch) * share + rng.random())
    if count == 0 or len(batch) == 0:
        return batch
    places = np.sort(rng.integers(0, len(batch), count))
    kinds = list(BAD_KINDS.values())
    chosen = rng.integers(0, len(kinds), count)
    keys, values = list(batch.keys), list(batch.values)
    bad = np.insert(batch.bad, places, True)
    due = np.insert(batch.due, places, batch.due[places])
    at = np.insert(batch.at, places, batch.due[places])
    for shift, (place, kind) in enumerate(zip(places.tolist(), chosen.tolist(), strict=True)):
        key, value = batch.keys[place], batch.values[place]
        if key is None or value is None:
            raise ValueError("bad records are made from good ones")
        key, value = kinds[kind](key, value)
        keys.insert(place + shift, key)
        values.insert(place + shift, value)
    return Batch(batch.what, due, at, keys, values, bad, batch.note)
