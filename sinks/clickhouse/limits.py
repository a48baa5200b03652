"""How much one question may take: the limits, as ClickHouse's settings, and which of them an error speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.errors import LimitError


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server allows one question; 0 lifts a limit.

    Attributes:
        seconds: until it is broken off.
        memory_mb: of the server, MiB.
        rows_read: in all tables together.
        answer_rows: of the answer.
    """

    seconds: float
    memory_mb: int
    rows_read: int
    answer_rows: int

    def settings(self) -> dict[str, str]:
        """As settings of ClickHouse; what exceeds one is an error, never a part of the answer."""
        return {
            "max_execution_time": f"{self.seconds:g}",
            "timeout_overflow_mode": "throw",
            "max_memory_usage": str(self.memory_mb * 1024 * 1024),
            "max_rows_to_read": str(self.rows_read),
            "read_overflow_mode": "throw",
            "max_result_rows": str(self.answer_rows),
            "result_overflow_mode": "throw",
        }


# Numbers of ClickHouse's src/Common/ErrorCodes.cpp.
_MET: Final = {
    158: ("rows_read", "would read more rows than allowed"),
    159: ("seconds", "took longer than allowed"),
    160: ("seconds", "would take longer than allowed"),
    241: ("memory_mb", "needs more memory of the server than allowed"),
    307: ("rows_read", "would read more than allowed"),
    396: ("answer_rows", "has more rows in its answer than allowed"),
}


def limit_met(code: int) -> LimitError | None:
    """The error of a limit, if the code is one."""
    if code not in _MET:
        return None
    limit, what = _MET[code]
    return LimitError(limit, f"The question {what}, and was broken off")
