"""The decoder and the encoder of the hot paths.

The Struct decoded into is derived from the pydantic model (`schemas.mirror`), and both accept and reject the same
documents (property-tested). Where they still differ, no record of ours comes near, and this decoder is the stricter but
for the last:

- `NaN` and `Infinity` as the value of an unknown field: no JSON (RFC 8259), rejected here, read by pydantic;
- a name twice within one object: both take the last value, but here the earlier ones must be valid as well;
- more than 200 levels of nesting, or a number of more than 4,300 digits, in an unknown field: pydantic stops there,
  this decoder only when the interpreter's stack does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Generic, TypeVar, cast

import msgspec

from schemas.base import Record
from schemas.errors import RejectError
from schemas.mirror import checks_of, struct_of
from schemas.reject import place_of, reason_of
from schemas.topics import MAX_RECORD_BYTES

__all__ = ["FastDecoder", "encode", "encode_batch", "encode_lines", "encode_value", "epoch_ms", "struct_of"]

R = TypeVar("R", bound=Record)

_TWO_DOCUMENTS = re.compile(rb"}[ \t\r]*{")
"""The end of one object and the start of another on one line. Within a document only a text can hold it."""


class FastDecoder(Generic[R]):
    """Decodes one record, or a whole batch in one go.

    Args:
        model: the pydantic model whose mirror is decoded into.
        times_as_text: leave times that are not nullable unread and unchecked, texts as they stood on the topic.
    """

    __slots__ = ("_checks", "_decoder", "model")

    def __init__(self, model: type[R], *, times_as_text: bool = False) -> None:
        self.model = model
        self._checks = checks_of(model, times_as_text=times_as_text)
        self._decoder: msgspec.json.Decoder[R] = msgspec.json.Decoder(struct_of(model, times_as_text=times_as_text))

    def decode(self, value: bytes | None) -> R:
        """One record.

        Raises:
            RejectError: with the reason; the text names the field, never a value out of the record.
        """
        if value is None:
            raise RejectError("null_value")
        if len(value) > MAX_RECORD_BYTES:
            raise RejectError("too_large", f"{len(value)} bytes, at most {MAX_RECORD_BYTES}")
        try:
            # Through str: a field that is skipped is not checked for valid UTF-8 otherwise.
            record = self._decoder.decode(value.decode())
        except UnicodeDecodeError as error:
            raise RejectError("bad_utf8", f"byte {error.start}") from None
        except msgspec.ValidationError as error:
            raise RejectError(reason_of(str(error)), place_of(str(error))) from None
        except msgspec.DecodeError:
            raise RejectError("not_json") from None
        except RecursionError:
            raise RejectError("too_deep") from None
        for check in self._checks:
            if not check.holds(record):
                raise RejectError(check.reason, check.field)
        return record

    def decode_batch(self, values: Sequence[bytes | None]) -> list[R] | None:
        """All records of a batch, in order, or None when any of them may be bad: then decode one by one."""
        try:
            joined = b"\n".join(cast("Sequence[bytes]", values))
        except TypeError:
            return None
        return self.decode_joined(joined, cast("Sequence[bytes]", values))

    def decode_joined(self, joined: bytes, values: Sequence[bytes]) -> list[R] | None:
        """As `decode_batch`, for whoever has joined the values by line breaks.

        The values are decoded as lines of one text, and cannot combine (`{"a":1` and `}`) into something that none of
        them is. As many objects as values are found, so one border fewer than values lies between them. Where every
        value is in braces, `}`, line break and `{` lie between two values; no object can hold that (nor can a text: a
        line break within one is escaped), so these are the borders, all of them. Where a value is not, there may be
        space around it: then no border lies within a line (`_TWO_DOCUMENTS`), so each takes a line break at least; and
        no value holds one (counted), so each takes exactly one, and none is left to lie within an object.
        """
        if not values:
            return []
        if max(map(len, values)) > MAX_RECORD_BYTES or _line_breaks(joined) != len(values) - 1:
            return None
        try:
            # Through str, as in `decode`: unless there is nothing to check.
            records: list[R] = self._decoder.decode_lines(joined if joined.isascii() else joined.decode())
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
            return None
        if len(records) != len(values) or not (_in_braces(values) or _TWO_DOCUMENTS.search(joined) is None):
            return None
        return records if all(check.holds_for_all(records) for check in self._checks) else None

    def decode_good(self, values: Sequence[bytes | None]) -> list[R | None]:
        """What `decode` makes of each value, null where it rejects it: for a batch with bad ones among many good."""
        found = [self._decoded(value) for value in values]
        good = [record for record in found if record is not None]
        if not good or all(check.holds_for_all(good) for check in self._checks):
            return found
        return [
            record if record is not None and all(check.holds(record) for check in self._checks) else None
            for record in found
        ]

    def _decoded(self, value: bytes | None) -> R | None:
        """The record but for `_checks`, null where it is none."""
        if value is None or len(value) > MAX_RECORD_BYTES:
            return None
        try:
            return self._decoder.decode(value.decode())
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
            return None


def _line_breaks(joined: bytes) -> int:
    # Here, not above: only processes that decode whole batches need it, and it takes its time to load.
    import numpy as np

    # Several times faster than `bytes.count`, which looks at one byte after the other.
    return int(np.count_nonzero(np.frombuffer(joined, np.uint8) == _LINE_BREAK))


def _in_braces(values: Sequence[bytes]) -> bool:
    return all(values) and set(map(_FIRST, values)) == {0x7B} and set(map(_LAST, values)) == {0x7D}


def encode(record: Record) -> bytes:
    """A Struct made by `struct_of` as it goes on a topic."""
    return _ENCODER.encode(record)


def encode_value(value: object) -> str:
    """A field's value as it stands within a record that `encode` wrote."""
    return _ENCODER.encode(value).decode()


def encode_batch(records: Sequence[Record]) -> list[bytes]:
    """As `encode`, for a batch: one value per record, in order."""
    if not records:
        return []
    return encode_lines(records)[:-1].split(b"\n")


def encode_lines(records: Sequence[Record]) -> bytes:
    """As `encode`, for a batch: a line for each record, in order. No line break lies within one."""
    return _ENCODER.encode_lines(records)


_LINE_BREAK = 0x0A
_FIRST, _LAST = itemgetter(0), itemgetter(-1)
_ENCODER: msgspec.json.Encoder = msgspec.json.Encoder()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, rounded down."""
    delta = instant - _EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000
