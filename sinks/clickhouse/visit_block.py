"""Visits as our worker writes them, from their JSON to a block of columns, without an object each. Pure.

A visit in another spelling is not read here: the piece it is in goes to ClickHouse as the lines that it is. A property
test holds each accepted piece to the decoder, and both ways into ClickHouse to the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np
from pydantic import TypeAdapter

from schemas.base import PersonToken, ScanId
from schemas.health import EffectiveColour, Labels
from schemas.scan import Channel, Direction
from schemas.side_by_side import Lines, Span, TextList, Trip, fixed
from schemas.utc_times import all_of_each
from schemas.visit import Decision, Visit
from sinks.clickhouse import native

_SCAN_ID: Final = fixed(ScanId)
_TOKEN: Final = fixed(PersonToken)
_NO_DASHES: Final = np.array([character not in (8, 13, 18, 23) for character in range(36)])
_DIRECTIONS: Final[tuple[str, ...]] = get_args(Direction)
_CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
_COLOURS: Final[tuple[str, ...]] = get_args(EffectiveColour)
_DECISIONS: Final[tuple[str, ...]] = get_args(Decision)
_LABELS: Final[TextList] = TypeAdapter(Labels)
_FLAGS: Final[TextList] = TypeAdapter(Visit.model_fields["flags"].rebuild_annotation())
_FIRST_MS: Final = 365 * 86_400_000
"""1971: times before cannot be stored (`sinks.clickhouse.routes`)."""
_EXACT: Final = 2**53
_MOST_PARTITION: Final = 2**31 - 1
_MOMENT: Final = "DateTime64(3, 'UTC')"
_TRIP_PARTS: Final = ("vehicle", "run", "carriage", "seat")


def visit_block(values: Sequence[bytes]) -> bytes | None:
    """A block for `visits_input` of visits that the decoder accepts, or None where one of them has another spelling."""
    lines = Lines(values)
    rows = len(values)
    lines.literal('{"scan_id":"')
    scan_id = lines.fixed(_SCAN_ID)
    lines.literal('","person_token":"')
    token_at = lines.at
    lines.fixed(_TOKEN)
    token = Span(token_at, lines.at)
    lines.literal('","venue_id":"')
    venue = lines.identifier()
    lines.literal('","point_id":"')
    point = lines.identifier()
    lines.literal('","scanned_at":"')
    scanned = lines.time()
    lines.literal('","direction":"')
    direction = lines.one_of(_DIRECTIONS)
    lines.literal(',"channel":"')
    channel = lines.one_of(_CHANNELS)
    lines.literal(',"trip":')
    trip = lines.trip()
    lines.literal(',"gateway":"')
    gateway = lines.identifier()
    lines.literal('","category":')
    category, no_category = lines.or_null(lambda: lines.quoted(lines.identifier))
    lines.literal(',"area_code":"')
    area = _area_code(lines)
    lines.literal('","lat":')
    lat, no_lat = lines.or_null(lines.decimal)
    lines.literal(',"lon":')
    lon, no_lon = lines.or_null(lines.decimal)
    lines.literal(',"colour":"')
    colour = lines.one_of(_COLOURS)
    lines.literal(',"labels":')
    labels = lines.lists(_LABELS, '],"status_version":')
    lines.literal(',"status_version":')
    version, no_version = lines.or_null(lines.integer)
    lines.literal(',"status_age_s":')
    age, no_age = lines.or_null(lambda: lines.integer(signed=True))
    lines.literal(',"decision":"')
    decision = lines.one_of(_DECISIONS)
    lines.literal(',"stay_until":')
    until, no_until = lines.or_null(lambda: lines.quoted(lines.time))
    lines.literal(',"flags":')
    flags = lines.lists(_FLAGS, '],"source_topic":"')
    lines.literal(',"source_topic":"')
    topic = lines.identifier()
    lines.literal('","source_partition":')
    partition = lines.integer()
    lines.literal(',"source_offset":')
    offset = lines.integer()
    lines.literal(',"processed_at":"')
    processed = lines.time()
    lines.literal('"}')
    lines.good &= lines.ended() & (scanned.at_ms >= _FIRST_MS) & (processed.at_ms >= _FIRST_MS)
    lines.good &= (no_lat | (np.abs(lat) <= 90)) & (no_lon | (np.abs(lon) <= 180))
    lines.good &= (no_version | (version <= _EXACT)) & (no_age | (np.abs(age) <= _EXACT))
    lines.good &= partition <= _MOST_PARTITION
    if not lines.good.all():
        return None
    block = native.Block(rows)
    block.add("scan_id", "UUID", native.uuids(scan_id[:, _NO_DASHES].tobytes()))
    block.add("person_token", "String", native.cut(lines, token))
    block.add("venue_id", "String", native.cut(lines, venue))
    block.add("point_id", "String", native.cut(lines, point))
    block.add("scanned_at", _MOMENT, native.integers(scanned.at_ms, "i8"))
    block.add("direction", *native.enumerated(_DIRECTIONS, direction))
    block.add("channel", *native.enumerated(_CHANNELS, channel))
    block.add("trip", f"Tuple({', '.join(f'{part} String' for part in _TRIP_PARTS)})", *_parts(lines, trip))
    block.add("gateway", "String", native.cut(lines, gateway))
    block.add("category", "String", native.cut(lines, category, no_category))
    block.add("area_code", "String", native.cut(lines, area))
    block.add("lat", "Nullable(Float64)", *native.nullable(no_lat, native.integers(lat, "f8")))
    block.add("lon", "Nullable(Float64)", *native.nullable(no_lon, native.integers(lon, "f8")))
    block.add("colour", *native.enumerated(_COLOURS, colour))
    block.add("labels", "Array(String)", *native.some_lists(rows, *labels))
    block.add("status_version", "Nullable(UInt64)", *native.nullable(no_version, native.integers(version, "u8")))
    block.add("status_age_s", "Nullable(Int64)", *native.nullable(no_age, native.integers(age, "i8")))
    block.add("decision", *native.enumerated(_DECISIONS, decision))
    block.add("stay_until", f"Nullable({_MOMENT})", *native.nullable(no_until, native.integers(until.at_ms, "i8")))
    block.add("flags", "Array(String)", *native.some_lists(rows, *flags))
    block.add("source_topic", "String", native.cut(lines, topic))
    block.add("source_partition", "UInt32", native.integers(partition, "u4"))
    block.add("source_offset", "UInt64", native.integers(offset, "u8"))
    block.add("processed_at", _MOMENT, native.integers(processed.at_ms, "i8"))
    return block.joined()


def _area_code(lines: Lines) -> Span:
    """Six or nine digits up to a quote."""
    span = lines.identifier()
    widths = span.end - span.begin
    digits = lines.characters(span.begin, 9) - np.uint8(ord("0")) <= 9
    lines.good &= ((widths == 6) | (widths == 9)) & all_of_each(digits[:, :6])
    lines.good &= (widths == 6) | all_of_each(digits[:, 6:])
    return span


def _parts(lines: Lines, trip: Trip) -> list[bytes]:
    """A column for each part of a trip, empty where there is none."""
    columns = []
    for span, null in zip(trip.parts, trip.absent, strict=True):
        begin, end = np.zeros_like(lines.at), np.zeros_like(lines.at)
        begin[trip.rows], end[trip.rows] = span.begin, np.where(null, span.begin, span.end)
        columns.append(native.cut(lines, Span(begin, end)))
    return columns
