"""Visit: a scan with what was decided about it. Topic `venue.visits.v1`, key `person_token`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import AreaCode, Identifier, Latitude, Longitude, Offset, Partition, Timestamp, Version
from schemas.health import EffectiveColour, Labels
from schemas.scan import Scan

Decision = Literal["admit", "refuse", "isolate", "check"]
Flag = Literal["late", "implausible_speed", "unknown_venue", "venue_not_open", "unknown_category"]


class Visit(Scan):
    """A scan, where it was, what colour was in force at `scanned_at`, and the decision.

    Its identity is the scan's place of origin (`source_topic`, `source_partition`, `source_offset`): a step that runs
    twice writes the same identity twice, and readers count it once. `category`, `lat`, `lon` are null and `area_code`
    is `000000` for a venue nobody registered. `status_version` and `status_age_s` (whole seconds since the status was
    issued, at the time of the scan) are null when no status was in force. `stay_until` is null for a leave scan.
    """

    category: Identifier | None
    area_code: AreaCode
    lat: Latitude | None
    lon: Longitude | None
    colour: EffectiveColour
    labels: Labels = ()
    status_version: Version | None
    status_age_s: Annotated[int, Field(ge=-(2**53), le=2**53)] | None
    decision: Decision
    stay_until: Timestamp | None
    flags: Annotated[tuple[Flag, ...], Field(max_length=8)] = ()
    source_topic: Identifier
    source_partition: Partition
    source_offset: Offset
    processed_at: Timestamp
