"""The ways to end a stay, by their names in docs/co-presence.md; imports nothing heavy, for the command line."""

from __future__ import annotations

from typing import Literal

Dwell = Literal["explicit", "next_scan", "default", "none", "best"]
"""How the end of a stay is found."""
