"""A city: its venues and its residents, made from a configuration and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from producers.simulator.config import CityConfig
from producers.simulator.people import People, build_people
from producers.simulator.statuses import initial_statuses
from producers.simulator.venues import VenueTable, build_venues
from schemas.venue import Venue


@dataclass(frozen=True, slots=True)
class City:
    """Venues and residents; the same configuration gives the same city."""

    config: CityConfig
    venue_table: VenueTable
    people: People

    @classmethod
    def build(cls, config: CityConfig) -> City:
        venues = build_venues(config)
        return cls(config, venues, build_people(config, venues))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)

    def venues(self) -> Iterator[Venue]:
        """All venues as the registry publishes them, planted ones included."""
        return self.venue_table.records()

    def statuses(self, at_ms: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """The residents' statuses at an instant (milliseconds since 1970), in batches of keys and values."""
        return initial_statuses(self.people, at_ms)
