"""Field types that all records share, and the base class of a record.

Every text type is a bounded, pattern-checked `str`, so that the pydantic model and the fast decoder derived from it
(`schemas.fast`) accept and reject the same documents. Patterns are Python's `re` in both, anchored with `\\Z`
(`$` would let a trailing newline through).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema

from schemas.checks import is_instant

_RFC3339 = Annotated[datetime, msgspec.Meta(tz=True)]


def parse_timestamp(value: object) -> datetime:
    """Read an RFC 3339 time with an offset, or pass an aware datetime through.

    Raises:
        ValueError: not RFC 3339, no offset, or outside the years 1 to 9999.
    """
    try:
        parsed: datetime = msgspec.convert(value, _RFC3339)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if not is_instant(parsed):
        raise ValueError("the time is outside the years 1 to 9999")
    return parsed


def format_timestamp(value: datetime) -> str:
    """Write a time as RFC 3339; UTC as `Z`, fractions of a second only where there are any."""
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


Timestamp = Annotated[
    datetime,
    PlainValidator(parse_timestamp),
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant: RFC 3339 with an offset, milliseconds kept."""

PersonToken = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}\Z")]
"""HMAC-SHA256(epoch key, person id), first 128 bits, as 32 lower-case hex digits."""

ScanId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
]
"""A UUIDv7 in its canonical lower-case form (RFC 9562)."""

AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}(?:[0-9]{3})?\Z")]
"""GB/T 2260 division code, six digits, or nine for a street; `000000` where none applies."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""An id given by somebody else: a venue, a point, a vehicle, a gateway. 1 to 64 characters."""

ShortText = Annotated[str, StringConstraints(max_length=200)]
LongText = Annotated[str, StringConstraints(max_length=1000)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Version = Annotated[int, Field(ge=0, le=2**53)]
Offset = Annotated[int, Field(ge=0, le=2**63 - 1)]
Partition = Annotated[int, Field(ge=0, le=2**31 - 1)]

NO_AREA = "000000"
"""Area code of what lies in no known division (an unregistered venue, a venue abroad)."""


class Record(BaseModel):
    """Base of every record: immutable, strict; unknown fields are ignored, so that a newer producer stops no reader."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        regex_engine="python-re",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # a value may identify a person, and an error may end up in a log
    )

    def to_json(self) -> bytes:
        """The record as it goes on a topic."""
        return self.model_dump_json().encode()

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        return tuple(cls.model_fields)

    def __repr_args__(self) -> Any:
        """Without the person token: a record may end up in a log or a traceback."""
        return [(name, value) for name, value in super().__repr_args__() if name != "person_token"]
