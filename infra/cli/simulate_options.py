"""What `venuecode simulate` is told, as a plan: when it starts and ends, how fast, and which cases it plants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from producers.simulator.pace import Pacing
from producers.simulator.schedule import SHORTEST_SPAN_S, Span, cases_forever, cases_within
from schemas.base import format_timestamp
from schemas.errors import ConfigurationError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DEMO_SPEED = 60.0
_FILE_SECONDS = 7200.0


def parse_duration(text: str) -> float:
    """Seconds out of `90s`, `30m`, `2h`, `1.5d`.

    Raises:
        ConfigurationError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None or float(found[1]) == 0:
        raise ConfigurationError(f"a duration is a number and s, m, h or d, such as 90s, 30m, 2h: {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def parse_start(text: str | None, now: datetime, zone: ZoneInfo) -> datetime:
    """A start out of `now`, `-26h`, or RFC 3339 (without an offset: city time); None: yesterday 06:30 city time.

    Whole seconds, so that the same start can be written down and given again.

    Raises:
        ConfigurationError: it is none of these.
    """
    if text is None:
        morning = now.astimezone(zone).replace(hour=6, minute=30, second=0, microsecond=0)
        return morning - timedelta(days=1)
    if text == "now":
        return now.replace(microsecond=0)
    if text.startswith("-"):
        return (now - timedelta(seconds=parse_duration(text[1:]))).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"a start is now, -26h, or a time such as 2026-11-22T06:30:00+08:00: {text!r}"
        ) from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).replace(microsecond=0)


def parse_pacing(speed: float | None, rate: str | None, live: bool) -> Pacing:
    """How fast; by default 60 times to a live platform, and as fast as it goes into files.

    Raises:
        ConfigurationError: the rate is no number, or both are given.
    """
    per_second = None
    if rate is not None and rate != "max":
        try:
            per_second = float(rate)
        except ValueError:
            raise ConfigurationError(f"a rate is a number of scans a second, or max: {rate!r}") from None
    if speed is not None and rate is not None:
        raise ConfigurationError("choose --speed or --rate, not both")
    if speed is None and rate is None and live:
        speed = _DEMO_SPEED
    return Pacing(speed=speed, rate=per_second, from_the_future=not live)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run in event time: from `start` for `seconds` (None: without end), with the spans of its planted cases.

    `planted_sets` is how many sets of planted venues the city needs for them.
    """

    start_ms: int
    seconds: float | None
    spans: Iterator[Span]
    planted_sets: int

    @property
    def end_ms(self) -> int | None:
        return None if self.seconds is None else self.start_ms + int(self.seconds * 1000)


def check_start(start: datetime, now: datetime, retention_days: int | None) -> None:
    """Refuse a start that the platform would reject scans of.

    Args:
        retention_days: None when the platform keeps everything.

    Raises:
        ConfigurationError: it lies in the future, or before what is kept.
    """
    if start > now:
        raise ConfigurationError(f"nothing can be sent before it happens: the start {format_timestamp(start)} is ahead")
    if retention_days is not None and now - start >= timedelta(days=retention_days):
        raise ConfigurationError(
            f"the platform keeps {retention_days} days, and the start {format_timestamp(start)} is older;"
            " choose a later --start"
        )


def make_plan(
    start: datetime,
    now: datetime,
    pacing: Pacing,
    zone: ZoneInfo,
    *,
    duration: float | None,
    seconds: float | None,
    cases: int | None,
    scans: int | None,
) -> Plan:
    """The plan of a run.

    Args:
        duration: event time, seconds; None: no limit of its own (into files: two hours, unless `scans` ends it).
        seconds: wall time; None: no limit.
        cases: how many; None: one in a run of known length, one every two minutes in an endless one.
        scans: after so many the run ends.

    Raises:
        ConfigurationError: the run is too short for the cases asked for.
    """
    start_ms = int(start.timestamp() * 1000)
    lengths = [] if duration is None else [duration]
    if pacing.from_the_future and not lengths and scans is None:
        lengths.append(_FILE_SECONDS)
    if seconds is not None and pacing.speed is not None:
        # Once event time has caught up with the clock it passes like the clock.
        behind = (now - start).total_seconds()
        lengths.append(
            seconds * pacing.speed if pacing.from_the_future else min(seconds * pacing.speed, behind + seconds)
        )
    length = min(lengths, default=None)
    speed = pacing.speed or _DEMO_SPEED
    if length is None:
        spans = cases_forever(start_ms, speed)
        return Plan(start_ms, None, spans if cases is None else islice(spans, cases), 4)
    count = cases if cases is not None else int(0.30 * length >= SHORTEST_SPAN_S)
    within = cases_within(start_ms, length, count, zone, pacing.speed or 1.0)
    return Plan(start_ms, length, iter(within), max(4, count))
