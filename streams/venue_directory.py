"""All registered venues, in memory: the whole compacted topic, and then every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.categories import VenueCategory
from schemas.venue import Venue
from streams.decide import VenueView, unregistered, view_of


class VenueDirectory:
    """Venues by id. One thread applies changes; others look up."""

    def __init__(self, categories: Mapping[str, VenueCategory]) -> None:
        self._categories = categories
        self._views: dict[str, VenueView] = {}
        self._versions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._views)

    def apply(self, venue_id: str, venue: Venue | None) -> None:
        """Take over one change; an older `version` than the one known is ignored, a null venue is a tombstone."""
        if venue is None:
            self._views.pop(venue_id, None)
            self._versions.pop(venue_id, None)
        elif venue.version >= self._versions.get(venue_id, 0):
            self._views[venue_id] = view_of(venue, self._categories)
            self._versions[venue_id] = venue.version

    def look_up(self, venue_ids: Sequence[str]) -> list[VenueView]:
        """The venues, or what is assumed of those that nobody registered."""
        find = self._views.get
        return [find(venue_id) or unregistered(venue_id) for venue_id in venue_ids]
