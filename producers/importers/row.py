"""A row of somebody's file, and why one is not taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

REASONS: Final = {
    "blank_row": "a row of nothing but delimiters and spaces",
    "merge_marker": "a version-control conflict marker (<<<<<<<, =======, >>>>>>>)",
    "not_utf8": "bytes that the encoding does not allow",
    "replacement_character": "U+FFFD: a character was lost before this file was written",
    "lossy_question_mark": "a question mark inside a word: a character was lost before this file was written",
    "bad_quoting": "quotes that never close, or text after a closing quote",
    "too_long": "a line of more than a million characters",
    "not_a_feature": "a line of GeoJSON that is no feature",
    "column_count": "more or fewer columns than the header (or the first row)",
    "missing_value": "a cell that must not be empty is",
    "unknown_value": "a value outside the field's list, and no mapping for it",
    "unknown_place": "a name and address that no registered venue has",
    "bad_number": "a number that is none",
    "unparsable_time": "a time that is none, or not in the expected format",
    "nonexistent_time": "a local time that clocks skipped (start of daylight saving)",
    "ambiguous_time": "a local time that clocks showed twice, with --ambiguous reject",
    "stay_not_positive": "it ends when or before it begins",
    "older_than_retention": "older than the platform keeps (unless it is an analysis platform)",
    "too_far_in_the_future": "more than five minutes in the future",
    "too_large": "the record would be larger than 64 KiB",
    "missing_field": "the record lacks a field",
    "wrong_type": "a field has the wrong type",
    "wrong_format": "a field does not have the form it must have, such as a token of 32 hex digits",
    "out_of_range": "a field is too long, too large or too small",
}
"""Why a row is set aside. The texts carry no value out of the row."""


def meaning_of(reason: str) -> str:
    """A reason in words."""
    return REASONS.get(reason, "bytes that the encoding does not allow")


class RowRejected(Exception):  # noqa: N818 - an outcome of reading a row, not a failure of the program
    """This row is not taken.

    Args:
        reason: a key of `REASONS`, or `not_` and an encoding.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read.

    Attributes:
        line: of the file, where the row begins; the first is 1.
        raw: the text, without its line end; bytes that could not be decoded are lone surrogates.
        cells: its columns; a row that is not well-formed has none.
        problem: why it is not well-formed, or None.
    """

    line: int
    raw: str
    cells: list[str]
    problem: str | None = None


_MERGE_MARKER: Final = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: .*)?\Z", re.DOTALL)


def check_damage(row: Row, encoding_label: str) -> None:
    """Refuse what no column of any kind should hold.

    Args:
        row: as it was read.
        encoding_label: of the file, such as `utf8`, for the reason.

    Raises:
        RowRejected: the row is blank, a conflict marker, holds bytes its encoding does not allow, or U+FFFD, or is not
            well-formed; judged in this order, so that each row has one reason.
    """
    text = "".join(row.cells) if row.cells else row.raw
    if not text.strip():
        raise RowRejected("blank_row")
    if text[0] in "<=>|" and _MERGE_MARKER.match(row.raw):
        raise RowRejected("merge_marker")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowRejected(f"not_{encoding_label}") from None
    if "\ufffd" in text:
        raise RowRejected("replacement_character")
    if row.problem is not None:
        raise RowRejected(row.problem)


def is_lossy(place: str) -> bool:
    """Whether a place's name or address lost characters to question marks (`East T?maki`, `?kareka`, `Palsun ??`).

    Any question mark counts but one: a single one that ends the text right after a word, as in a name such as
    `Who's there?`. Prose (advice) asks real questions, and is not judged.
    """
    if "?" not in place:
        return False
    place = place.rstrip()
    return "?" in place[:-1] or place == "?"
