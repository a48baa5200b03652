"""When planted cases happen, in event time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.errors import ConfigurationError

SHORTEST_SPAN_S: Final = 100
"""The plan of a case is made of shares of its span, down to a hundredth: with whole seconds it needs a hundred."""

_LONGEST_SPAN_S: Final = 4 * 3600
_BETWEEN_S: Final = 120.0
_BEGIN_S, _END_S, _RED_S, _SCAN_S = 2.0, 20.0, 27.0, 33.0


@dataclass(frozen=True, slots=True)
class Span:
    """One case: its meetings lie in [begin, end]; then the index case turns red, then they scan. Milliseconds."""

    begin_ms: int
    end_ms: int
    red_ms: int
    scan_ms: int


def _span(start_ms: int, begin: float, end: float, red: float, scan: float) -> Span:
    """From seconds after the start; whole seconds, so that overlaps are whole seconds."""
    return Span(*(start_ms + int(seconds) * 1000 for seconds in (begin, end, red, scan)))


def cases_within(start_ms: int, seconds: float, count: int, zone: ZoneInfo, speed: float = 1.0) -> tuple[Span, ...]:
    """Cases of a run of known length (event time): meetings in its first third, red at half, the scan at 60 %.

    The last of several cases lies across midnight, city time, when there is one early enough.

    Args:
        speed: seconds of event time in a second: the scan comes 4 s after the red status, up to 70 % of the run.

    Raises:
        ConfigurationError: the run is too short to hold a case.
    """
    length = min(0.30 * seconds, _LONGEST_SPAN_S)
    if count and length < SHORTEST_SPAN_S:
        raise ConfigurationError(
            f"planted cases need {SHORTEST_SPAN_S / 0.30:.0f} s of event time, and the run has {seconds:.0f} s;"
            " make it longer or faster, or use --cases 0"
        )
    scan = min(0.70, max(0.60, 0.50 + 4 * speed / seconds)) * seconds
    spans = [_span(start_ms, 0.03 * seconds, 0.03 * seconds + length, 0.50 * seconds, scan)] * count
    midnight = _next_midnight(start_ms, zone)
    begin = midnight - 0.8 * length
    if count > 1 and 0.01 * seconds <= begin and begin + length <= 0.45 * seconds:
        spans[-1] = _span(start_ms, begin, begin + length, 0.50 * seconds, scan)
    return tuple(sorted(spans, key=lambda span: span.begin_ms))


def cases_forever(start_ms: int, speed: float) -> Iterator[Span]:
    """A case every two minutes of wall time, at so many seconds of event time in a second.

    The first turns red 27 s after the start. Slower than 6 times, a case takes longer: its plan needs the event time.
    """
    unit = max(speed, SHORTEST_SPAN_S / (_END_S - _BEGIN_S) + 0.1)
    number = 0
    while True:
        shift = number * _BETWEEN_S
        yield _span(start_ms, *((shift + at) * unit for at in (_BEGIN_S, _END_S, _RED_S, _SCAN_S)))
        number += 1


def _next_midnight(start_ms: int, zone: ZoneInfo) -> float:
    """Seconds from the start to the next midnight in the city."""
    local = datetime.fromtimestamp(start_ms / 1000, zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp() - start_ms / 1000
