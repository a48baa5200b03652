"""Raw bytes of a stranger, made fit for a terminal and for other eyes."""

from __future__ import annotations

import re

_TOKEN_FIELD = re.compile(r'("person_token"\s*:\s*")[^"]*')
_HEX = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{16,}(?![0-9a-fA-F])")
_HIDDEN = "(person token hidden)"


def safe_text(data: bytes, *, reveal: bool = False) -> str:
    """Bytes as one line of printable text.

    What is no UTF-8, and every character that would move the cursor, colour the screen, or turn the writing direction,
    is shown as a Python escape.

    Args:
        data: of a record that could not be processed.
        reveal: show person tokens too; otherwise the field `person_token`, and every run of 16 or more hex digits
            (a token, or what is left of one), is hidden.
    """
    text = data.decode("utf-8", "backslashreplace")
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    if reveal:
        return shown
    return _HEX.sub(_HIDDEN, _TOKEN_FIELD.sub(rf"\1{_HIDDEN}", shown))
