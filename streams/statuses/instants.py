"""Times of a whole column, read at once where they are written as our own encoder writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.statuses.packing import Integers

_FORM: Final = b"0000-00-00T00:00:00.000000Z"
_WHOLE: Final = len("0000-00-00T00:00:00Z")
_FRACTION: Final = _FORM[_WHOLE - 1 :].decode()
_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)


def epoch_ms_of(times: Sequence[str]) -> Integers | None:
    """Epoch milliseconds, rounded down; null when a text may be none of our encoder's times, from the year 1970 on.

    What it reads it reads as `schemas.base.parse_timestamp` does.
    """
    if {len(_FORM)}.issuperset(map(len, times)):
        column = "".join(times).encode("ascii", "replace")
    else:
        texts = "".join([time[:-1] + _FRACTION if len(time) == _WHOLE else time for time in times])
        column = texts.encode("ascii", "replace")
    if column.translate(_DIGITS) != _FORM * len(times):
        return None
    without_zone = np.frombuffer(column, f"S{len(_FORM)}").astype(f"S{len(_FORM) - 1}")
    try:
        read = without_zone.astype("datetime64[ms]").view(np.int64)
    except ValueError:
        return None
    return read if not len(read) or read.min() >= 0 else None
