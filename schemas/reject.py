"""Which reason of a dead letter a validation message of msgspec means. The message may quote a value: it stays here."""

from __future__ import annotations

import re

from schemas.dead_letter import Reason

_MEANINGS: tuple[tuple[str, Reason], ...] = (
    (r"Object missing required field ", "missing_field"),
    (r"Invalid enum value ", "unknown_value"),
    (r"Expected `[^`]*` (?:of length |>=|<=)", "out_of_range"),
    (r"(?:Number|Integer value) out of range", "out_of_range"),
    (r"Expected `[^`]*` (?:matching regex|with a timezone)", "wrong_format"),
    (r"Invalid RFC3339", "wrong_format"),
    (r"Expected `", "wrong_type"),
)
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`\Z")


def reason_of(message: str) -> Reason:
    """Which reason a message of `msgspec.ValidationError` means; matched at its start: a value may be quoted later."""
    for pattern, reason in _MEANINGS:
        if re.match(pattern, message):
            return reason
    return "wrong_format"


def place_of(message: str) -> str:
    """The path of the field, such as `trip.run` or `labels[0]`, without any value; empty for the document itself."""
    path = _PATH.search(message)
    missing = _MISSING.match(message)
    return ".".join(part for part in (path and path[1], missing and missing[1]) if part)
