"""ExposureWindow: a venue and a span of time in which somebody infected was there.

Topic `exposure.windows.v1`, compacted, key `window_id`.
"""

from __future__ import annotations

from schemas.base import Identifier, LongText, Record, ShortText, Timestamp


class ExposureWindow(Record):
    """From `starts_at` until before `ends_at` at `venue_id`, as a health authority published it (key: `window_id`)."""

    window_id: Identifier
    venue_id: Identifier
    starts_at: Timestamp
    ends_at: Timestamp
    title: ShortText
    advice: LongText
    source: ShortText
