"""Hypothesis strategies: visits as the worker writes them, in the spelling that is read by the column."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import strategies as st

from schemas.health import EffectiveColour
from schemas.scan import Channel, Direction, Trip
from schemas.visit import Decision, Flag, Visit

_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in '"\\')
IDS = st.one_of(
    st.sampled_from(["V-1", "gate-1", "x" * 24, "y" * 64, "null", "},", "],{}:,'"]),
    st.text(_PLAIN, min_size=1, max_size=64),
)


@st.composite
def times(draw: st.DrawFn) -> str:
    """A time in UTC from 1971 to 2099, in seconds, milliseconds or microseconds."""
    at = draw(st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31, 23, 59, 59, 999_999)))  # noqa: DTZ001
    return at.isoformat(timespec=draw(st.sampled_from(["seconds", "milliseconds", "microseconds"]))) + "Z"


def degrees(most: int) -> st.SearchStrategy[float]:
    """Degrees with a few digits behind the point, or with all that most floats have."""
    few = st.integers(-most * 10**9, most * 10**9).map(lambda number: round(number / 10**9, 9))
    return (few | st.floats(-most, most)).filter(_is_plain)


def _is_plain(number: float) -> bool:
    text = repr(number)
    return "e" not in text and len(text.lstrip("-").replace(".", "")) <= 17


_HEX = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
_TRIPS = st.fixed_dictionaries({"vehicle": IDS, "run": IDS, "carriage": st.none() | IDS, "seat": st.none() | IDS})


def _scan_id(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-7{text[13:16]}-a{text[17:20]}-{text[20:]}"


VISITS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "scan_id": _HEX.map(_scan_id),
        "person_token": _HEX,
        "venue_id": IDS,
        "point_id": IDS,
        "scanned_at": times(),
        "direction": st.sampled_from(get_args(Direction)),
        "channel": st.sampled_from(get_args(Channel)),
        "trip": st.none() | _TRIPS,
        "gateway": IDS,
        "category": st.none() | IDS,
        "area_code": st.sampled_from(["140105", "140105001", "000000"]),
        "lat": st.none() | degrees(90),
        "lon": st.none() | degrees(180),
        "colour": st.sampled_from(get_args(EffectiveColour)),
        "labels": st.lists(IDS, max_size=3) | st.just([]),
        "status_version": st.none() | st.integers(0, 2**53),
        "status_age_s": st.none() | st.integers(-(2**53), 2**53),
        "decision": st.sampled_from(get_args(Decision)),
        "stay_until": st.none() | times(),
        "flags": st.lists(st.sampled_from(get_args(Flag)), max_size=3) | st.just([]),
        "source_topic": IDS,
        "source_partition": st.integers(0, 2**31 - 1),
        "source_offset": st.integers(0, 10**18 - 1),
        "processed_at": times(),
    }
)


def as_written(visit: dict[str, Any]) -> bytes:
    """A visit as it lies on the topic."""
    trip = visit["trip"] and {part: visit["trip"][part] for part in Trip.model_fields}
    ordered = {name: trip if name == "trip" else visit[name] for name in Visit.model_fields}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()


def as_read(visit: dict[str, Any]) -> dict[str, Any]:
    """A visit as a row of ClickHouse's input table."""
    moments = ("scanned_at", "stay_until", "processed_at")
    trip = visit["trip"] or dict.fromkeys(Trip.model_fields)
    return {
        **visit,
        **{name: visit[name] and _in_milliseconds(visit[name]) for name in moments},
        "trip": {part: value or "" for part, value in trip.items()},
        "category": visit["category"] or "",
    }


def _in_milliseconds(text: str) -> datetime:
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
