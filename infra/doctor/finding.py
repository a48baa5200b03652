"""What a check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from infra.doctor.surroundings import Surroundings

State = Literal["ok", "warn", "fail"]
"""`fail` is what stops the platform from doing its work or keeping its promises; `warn` deserves a look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        state: how it is.
        meaning: what was seen, and what it means.
        remedy: what to do; empty when it is well.
    """

    subject: str
    state: State
    meaning: str
    remedy: str = ""


Check = Callable[["Surroundings"], Iterable[Finding]]
"""Looks at one thing and changes nothing. May raise a `VenuecodeError`, which becomes a failure."""
