"""Cells of the 800 m grid as whole numbers, for databases that do not know the grid (docs/co-presence.md, "Place")."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

_EARTH_M: Final = 6_371_008.8
_CELL_M: Final = 800
_ROW: Final = 10_000_000
"""More than there are columns in a row."""


def cell_numbers(lat: Any, lon: Any) -> Any:
    """The cell of each position; equal exactly where `cell_800m` is.

    Args:
        lat: degrees, WGS 84.
        lon: degrees, WGS 84.

    Returns:
        Whole numbers, as many.
    """
    row = np.floor(_EARTH_M * np.radians(lat) / _CELL_M)
    width = _EARTH_M * np.cos((row + 0.5) * _CELL_M / _EARTH_M)
    column = np.floor(width * np.radians(lon) / _CELL_M)
    return (row * _ROW + column).astype(np.int64)
