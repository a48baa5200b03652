"""HealthStatus: the colour an authority gave a person. Topic `health.status.v1`, compacted, key `person_token`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Identifier, PersonToken, Record, ShortText, Timestamp, Version

Colour = Literal["green", "yellow", "red"]
EffectiveColour = Literal["green", "yellow", "red", "unknown"]
Label = Identifier
Labels = Annotated[tuple[Label, ...], Field(max_length=16)]


class HealthStatus(Record):
    """A person's colour from `valid_from` until before `valid_until`.

    A null value on the topic (a tombstone) is an erased person. No record, or none in force at the time of a scan, is
    `unknown`: never silently green, never silently red.
    """

    person_token: PersonToken
    colour: Colour
    labels: Labels = ()
    reason: ShortText
    evidence: ShortText | None = None
    valid_from: Timestamp
    valid_until: Timestamp
    version: Version
    issuer: Identifier
    issued_at: Timestamp
