"""Names in docs/co-presence.md that questions are asked with; imports nothing heavy, for the command line."""

from __future__ import annotations

from typing import Literal

Dwell = Literal["explicit", "next_scan", "default", "none", "best"]
"""How the end of a stay is found."""

SettledDwell = Literal["best", "default"]
"""Those that are settled."""

ANY_OVERLAP = "any_overlap"
"""The rule that is none: every overlap at a venue or on a trip."""
