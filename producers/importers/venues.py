"""Rows as venues of the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from producers.importers.columns import Choice, Columns, number_of, required_text, text_of, whole_number_of
from producers.importers.row import Row, RowRejected, is_lossy
from schemas.base import NO_AREA
from schemas.mirror import struct_of
from schemas.venue import Point, Venue, VenueState


class VenueReader:
    """Reads venues.

    Args:
        columns: of the file.
        maps: meanings of the values of `category` (others stay as they are) and `status`.
        version: for rows that have none; a later import must have a larger one.
        default_category: for rows without one; None: then they are refused.
        keep_lossy: take names and addresses that lost characters to question marks.

    Raises:
        ConfigurationError: a column is missing.
    """

    model = Venue

    def __init__(
        self,
        columns: Columns,
        *,
        maps: Mapping[str, Mapping[str, str]],
        version: int,
        default_category: str | None = None,
        keep_lossy: bool = False,
    ) -> None:
        self._id = columns.required("venue_id", "venue", "id")
        self._name = columns.required("name", "venue_name")
        self._category = columns.optional("category", "kind", "type")
        self._texts = {name: columns.optional(name) for name in ("area_code", "address", "organisation_id")}
        self._lat = columns.optional("lat", "latitude")
        self._lon = columns.optional("lon", "lng", "longitude")
        self._status = Choice(columns.optional("status"), get_args(VenueState), "approved", maps.get("status", {}))
        self._points = columns.optional("points")
        self._version_column = columns.optional("version")
        self._categories = maps.get("category", {})
        self._version = version
        self._default_category = default_category
        self._keep_lossy = keep_lossy
        self._venue: Any = struct_of(Venue)
        self._point: Any = struct_of(Point)

    def time_of(self, row: Row) -> None:
        """A venue has no time."""
        return

    def read(self, row: Row) -> Any:
        """See `RowReader`."""
        venue_id = required_text(row, self._id)
        name, address = required_text(row, self._name), text_of(row, self._texts["address"])
        if not self._keep_lossy and (is_lossy(name) or "?" in address):
            raise RowRejected("lossy_question_mark")
        category = text_of(row, self._category)
        category = self._categories.get(category, category) or self._default_category or ""
        if not category:
            raise RowRejected("missing_value")
        lat, lon = number_of(row, self._lat), number_of(row, self._lon)
        if (lat is None) != (lon is None):
            raise RowRejected("missing_value")
        version = whole_number_of(row, self._version_column)
        return self._venue(
            venue_id=venue_id,
            organisation_id=text_of(row, self._texts["organisation_id"], venue_id),
            name=name,
            category=category,
            area_code=text_of(row, self._texts["area_code"], NO_AREA),
            address=address,
            lat=lat,
            lon=lon,
            points=self._points_of(row),
            status=self._status.of(row),
            version=self._version if version is None else version,
        )

    def _points_of(self, row: Row) -> tuple[Any, ...]:
        """`north:North gate|south:South gate`, or the one point every venue has."""
        parts = [part.partition(":") for part in text_of(row, self._points, "main:Main entrance").split("|")]
        return tuple(self._point(point_id=point.strip(), name=(name or point).strip()) for point, _, name in parts)

    def finish(self, drafts: Sequence[Any]) -> tuple[list[bytes], list[Any]]:
        """See `RowReader`."""
        return [draft.venue_id.encode() for draft in drafts], list(drafts)
