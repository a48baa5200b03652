"""What a simulated city is made from: plain settings, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from schemas.categories import builtin_categories
from schemas.errors import ConfigurationError

SLICE_MS: Final = 300_000
"""The city lives in steps of five minutes of event time; memory is bounded by one step and by who is out."""

MAX_RESIDENTS: Final = 30_000_000
MAX_VENUES: Final = 900_000


@dataclass(frozen=True, slots=True)
class CityConfig:
    """The size and the habits of a city. The same settings make the same city, byte for byte.

    Attributes:
        seed: of everything random.
        residents: people who live here; planted people come on top.
        venues: venues of the background; planted venues come on top.
        scan_discipline: share of visits that are scanned at the door.
        leave_share: share of the scanned visits that are scanned out as well.
        phoneless_share: share of people without a phone; somebody scans for them (`manual` or `companion`).
        unknown_share, expired_share, yellow_share, red_share: of the residents' statuses; the others are green.
        changes_per_hour: residents whose colour changes, an hour of event time.
        late_share: share of scans that arrive late, by up to `late_max_hours`.
        bad_share: invalid records, as a share of the valid scans, on top of them.
        planted_sets: sets of venues kept for planted cases; two cases that run at once need two.
        timezone: the city's, for crowding by hour.
    """

    seed: int = 1
    residents: int = 60_000
    venues: int = 3_000
    scan_discipline: float = 0.85
    leave_share: float = 0.4
    phoneless_share: float = 0.12
    unknown_share: float = 0.012
    expired_share: float = 0.008
    yellow_share: float = 0.004
    red_share: float = 0.0002
    changes_per_hour: float = 12.0
    late_share: float = 0.0
    late_max_hours: float = 6.0
    bad_share: float = 0.0
    planted_sets: int = 4
    timezone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigurationError: which one is out of its bounds, and what they are.
        """
        kinds = len(builtin_categories())
        bounds = {
            "seed": (0, 2**63 - 1),
            "residents": (1, MAX_RESIDENTS),
            "venues": (10 * kinds, MAX_VENUES),
            "changes_per_hour": (0, 1_000_000),
            "late_max_hours": (0.1, 48),
            "planted_sets": (0, 10_000),
            "bad_share": (0, 0.5),
        }
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = bounds.get(field.name, (0, 1))
            if not isinstance(value, str) and not low <= value <= high:
                raise ConfigurationError(f"{field.name.replace('_', '-')} must lie between {low} and {high}: {value}")
        if self.unknown_share + self.expired_share + self.yellow_share + self.red_share > 1:
            raise ConfigurationError("the shares of unknown, expired, yellow and red people exceed 1 together")

    def random(self, *stream: int) -> np.random.Generator:
        """A generator of its own for one purpose: drawing more for one thing never shifts another."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=stream)))


STREAM_VENUES, STREAM_PEOPLE, STREAM_MOVES, STREAM_IDS, STREAM_CHANGES, STREAM_CASES, STREAM_BAD = range(7)
