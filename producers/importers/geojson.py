"""GeoJSON with one feature a line, as GDAL and most public portals write it, read as rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from producers.importers.lines import Lines
from producers.importers.row import Row
from schemas.errors import ConfigurationError

_FRAME: Final = re.compile(r"""[{}\[\],\s]*|"type": ?"FeatureCollection",?|"(?:name|crs|bbox)":.*|"features": ?\[""")
"""The lines of a FeatureCollection around its features."""

_COORDINATES: Final = ("lon", "lat")


class GeoJsonTable:
    """Features as rows: the properties of the first feature name the columns, then `lon` and `lat` of its point.

    A property that is missing or null is an empty cell; one that the first feature does not have is left out, unless
    it is listed in `more`.

    Args:
        lines: the file.
        more: further properties to make columns of, where a later feature may have them.

    Raises:
        ConfigurationError: no line is a feature with properties, and `more` names none.
    """

    def __init__(self, lines: Lines, *, more: tuple[str, ...] = ()) -> None:
        self._lines = lines
        self._read_ahead: list[tuple[int, str, dict[str, Any] | None]] = []
        self._source = self._features()
        names: list[str] = []
        for line, raw, feature in self._source:
            self._read_ahead.append((line, raw, feature))
            if feature is not None:
                names = list(feature.get("properties") or {})
                break
        if not names and not more:
            raise ConfigurationError("found no GeoJSON feature; each must be on a line of its own")
        self.header: list[str] | None = [*names, *(name for name in more if name not in names), *_COORDINATES]
        self.width = len(self.header)

    def __iter__(self) -> Iterator[Row]:
        for line, raw, feature in self._read_ahead:
            yield self._row(line, raw, feature)
        for line, raw, feature in self._source:
            yield self._row(line, raw, feature)

    def _features(self) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
        for text in self._lines:
            self._lines.mark()
            raw = text.rstrip("\r\n")
            if _FRAME.fullmatch(raw.strip()):
                continue
            yield self._lines.number, raw, _feature(raw)

    def _row(self, line: int, raw: str, feature: dict[str, Any] | None) -> Row:
        if feature is None or self.header is None:
            return Row(line, raw, [], "not_a_feature")
        properties = feature.get("properties") or {}
        geometry = feature.get("geometry") or {}
        point = (geometry.get("coordinates") if isinstance(geometry, dict) else None) or ["", ""]
        cells = [_cell(properties.get(name)) for name in self.header[:-2]]
        return Row(line, raw, [*cells, *(map(_cell, (*point, "", "")[:2]))])


def _feature(raw: str) -> dict[str, Any] | None:
    try:
        found = json.loads(raw.strip().rstrip(","))
    except (ValueError, RecursionError):
        return None
    whole = isinstance(found, dict) and found.get("type") == "Feature"
    return found if whole and isinstance(found.get("properties") or {}, dict) else None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
