"""Visits of plain scans as they go on the topic, written from ready-made parts instead of encoded from objects.

Byte for byte what `streams.decide.decide` and `schemas.fast.encode` make of the same scans (property-tested), for scans
that are neither late nor at a venue nobody registered. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from schemas.fast import encode
from streams.decide import Rules, VenueView
from streams.plain_scans import Ints, PlainScans
from streams.status_store import COLOURS, StatusColumns

_MINUTE_MS: Final = 60_000
_SECONDS_AT: Final = len("2026-01-01T00:00")
