"""The fast decoder: reasons of rejection, nothing of the record in them, and what cannot be derived is refused."""

from __future__ import annotations

import json
import re
import traceback
from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from pydantic import Field, StringConstraints, field_validator

from schemas.base import Record, Timestamp
from schemas.checks import can_be_joined
from schemas.dead_letter import REASONS
from schemas.errors import RejectError
from schemas.fast import FastDecoder, encode_batch, epoch_ms, struct_of
from schemas.fixed_width import FixedWidth, positions_of
from schemas.scan import Scan
from schemas.topics import MAX_RECORD_BYTES
from schemas.venue import Venue

TOKEN = "5ec2e7" * 5 + "ab"
SCAN: dict[str, Any] = {
    "scan_id": "01997c3e-8a00-7abc-8def-0123456789ab",
    "person_token": TOKEN,
    "venue_id": "V1",
    "point_id": "gate-1",
    "scanned_at": "2026-09-21T08:00:00.125+08:00",
    "direction": "enter",
    "channel": "phone",
    "trip": {"vehicle": "bus-1", "run": "r1", "carriage": None, "seat": "4A"},
    "gateway": "gw-1",
}
DECODER = FastDecoder(Scan)


def scan(**changes: Any) -> bytes:
    return json.dumps({**SCAN, **changes}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in SCAN.items() if key != name}).encode()


REJECTS: dict[str, tuple[bytes | None, str, str]] = {
    "null": (None, "null_value", ""),
    "empty": (b"", "not_json", ""),
    "not JSON": (b"{person", "not_json", ""),
    "two documents": (scan() + scan(), "not_json", ""),
    "bad UTF-8": (b'{"x":"\xff"}', "bad_utf8", "byte 6"),
    "bad UTF-8 in an unknown field": (scan()[:-1] + b',"x":"\xff"}', "bad_utf8", f"byte {len(scan()) + 5}"),
    "too large": (
        scan(x="x" * 2_000_000),
        "too_large",
        f"{len(scan(x='x' * 2_000_000))} bytes, at most {MAX_RECORD_BYTES}",
    ),
    "nested too deep": (b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "too_deep", ""),
    "a list": (b"[]", "wrong_type", ""),
    "a missing field": (without("venue_id"), "missing_field", "venue_id"),
    "a missing field of a part": (scan(trip={"vehicle": "x"}), "missing_field", "trip.run"),
    "a number for a text": (scan(venue_id=7), "wrong_type", "venue_id"),
    "null for a text": (scan(gateway=None), "wrong_type", "gateway"),
    "a text for a part": (scan(trip="bus"), "wrong_type", "trip"),
    "a wrong type in a part": (scan(trip={"vehicle": "x", "run": 1}), "wrong_type", "trip.run"),
    "no member of an enumeration": (scan(direction=TOKEN), "unknown_value", "direction"),
    "a member that reads like a message": (scan(direction="missing required field"), "unknown_value", "direction"),
    "a member that reads like another message": (
        scan(channel="Object missing required field `x` - at `$.y`"),
        "unknown_value",
        "channel",
    ),
    "too long a text": (scan(venue_id="v" * 65), "out_of_range", "venue_id"),
    "too short a text": (scan(venue_id=""), "out_of_range", "venue_id"),
    "no token": (scan(person_token=TOKEN.upper()), "wrong_format", "person_token"),
    "a token with a line break": (scan(person_token=TOKEN + "\n"), "wrong_format", "person_token"),
    "no UUIDv7": (scan(scan_id="01997c3e-8a00-4abc-8def-0123456789ab"), "wrong_format", "scan_id"),
    "no time": (scan(scanned_at="yesterday"), "wrong_format", "scanned_at"),
    "a time without an offset": (scan(scanned_at="2026-09-21T08:00:00"), "wrong_format", "scanned_at"),
    "a number for a time": (scan(scanned_at=1790000000), "wrong_type", "scanned_at"),
    "a time before the first year in UTC": (
        scan(scanned_at="0001-01-01T00:00:00+01:00"),
        "out_of_range",
        "scanned_at",
    ),
}


@pytest.mark.parametrize("name", REJECTS)
def test_each_kind_of_bad_record_has_its_reason_and_place_and_nothing_of_its_values(name: str) -> None:
    value, reason, place = REJECTS[name]
    with pytest.raises(RejectError) as caught:
        DECODER.decode(value)
    assert (caught.value.reason, caught.value.detail) == (reason, place)
    assert reason in REASONS
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", REJECTS)
def test_a_batch_with_one_bad_record_is_refused(name: str) -> None:
    assert DECODER.decode_batch([scan(), REJECTS[name][0], scan()]) is None


VENUE: dict[str, Any] = {
    "venue_id": "V",
    "organisation_id": "O",
    "name": "",
    "category": "x",
    "area_code": "140105",
    "address": "",
    "lat": 1,
    "lon": 2.5,
    "points": [{"point_id": "p", "name": ""}],
    "status": "approved",
    "version": 0,
}


@pytest.mark.parametrize(
    ("changes", "reason", "place"),
    [
        ({"lat": 90.5}, "out_of_range", "lat"),
        ({"lon": -181}, "out_of_range", "lon"),
        ({"lat": 10**400}, "out_of_range", "lat"),
        ({"version": -1}, "out_of_range", "version"),
        ({"version": 2**64}, "out_of_range", "version"),
        ({"version": 10**40}, "out_of_range", "version"),
        ({"version": 1.0}, "wrong_type", "version"),
        ({"version": True}, "wrong_type", "version"),
        ({"points": []}, "out_of_range", "points"),
        (
            {"points": [{"point_id": "p", "name": ""}, {"point_id": "", "name": ""}]},
            "out_of_range",
            "points[1].point_id",
        ),
        ({"points": [{"point_id": "p"}]}, "missing_field", "points[0].name"),
        ({"area_code": "1401"}, "wrong_format", "area_code"),
    ],
)
def test_numbers_lists_and_their_items_have_reasons_and_places_too(
    changes: dict[str, Any], reason: str, place: str
) -> None:
    assert FastDecoder(Venue).decode(json.dumps(VENUE).encode()).points[0].point_id == "p"
    with pytest.raises(RejectError) as caught:
        FastDecoder(Venue).decode(json.dumps({**VENUE, **changes}).encode())
    assert (caught.value.reason, caught.value.detail) == (reason, place)


MISALIGNED: list[list[bytes]] = [
    [scan() + scan(), b""],
    [b"", scan() + scan()],
    [scan() + b" " + scan(), b" "],
    [scan() + b"\t" + scan(), b"\r"],
    [scan()[:20], scan()[20:]],
    [scan()[:20], scan()[20:] + scan()],
    [b'{"a":[{}', b"{}]}"],
    [scan() + b"\n" + scan()],
    [scan()[:-1] + b',"x":[', b"]}" + scan()],
    [b"[" + scan(), scan() + b"]"],
    [scan() + b",", scan()],
]


@pytest.mark.parametrize("values", MISALIGNED)
def test_values_cannot_combine_into_records_that_none_of_them_is(values: list[bytes]) -> None:
    assert DECODER.decode_batch(values) is None


def test_a_batch_may_hold_braces_within_texts_and_space_around_records() -> None:
    values = [b" " + scan(venue_id="{}", gateway="},{") + b"\r", scan(venue_id="a\nb")]
    assert DECODER.decode_batch(values) == [DECODER.decode(value) for value in values]
    assert DECODER.decode_batch([]) == []
    assert encode_batch([]) == []


def test_no_representation_of_a_record_and_no_error_of_a_model_holds_the_token() -> None:
    records: list[Any] = [Scan.model_validate_json(scan()), DECODER.decode(scan())]
    for record in records:
        assert TOKEN not in repr(record)
        assert TOKEN not in str(record)
        assert "V1" in repr(record)
        assert TOKEN not in str(list(record.__rich_repr__()))
    with pytest.raises(pydantic.ValidationError) as caught:
        Scan.model_validate_json(scan(person_token=TOKEN + "x"))
    assert TOKEN not in str(caught.value)


def test_milliseconds_since_1970_are_rounded_down() -> None:
    assert epoch_ms(DECODER.decode(scan()).scanned_at) == 1_789_948_800_125
    assert epoch_ms(DECODER.decode(scan(scanned_at="1969-12-31T23:59:59.9995Z")).scanned_at) == -1
    assert epoch_ms(DECODER.decode(scan(scanned_at="1970-01-01T00:00:00.000999Z")).scanned_at) == 0


class Rewritten(Record):
    text: Annotated[str, StringConstraints(strip_whitespace=True)]


class Multiple(Record):
    number: Annotated[int, Field(multiple_of=2)]


class Pair(Record):
    pair: tuple[int, str]


class OwnRule(Record):
    number: int

    @field_validator("number")
    @classmethod
    def rule(cls, value: int) -> int:
        return value


class Renamed(Record):
    number: int = Field(alias="no")


class Moment(Record):
    at: Timestamp


class Nested(Record):
    moment: Moment


@pytest.mark.parametrize("model", [Rewritten, Multiple, Pair, OwnRule, Renamed, Nested])
def test_a_rule_that_the_decoder_could_not_keep_is_refused_when_it_is_derived(model: type[Record]) -> None:
    with pytest.raises(TypeError):
        struct_of(model)


def test_a_pattern_that_may_match_a_line_break_is_checked_value_by_value() -> None:
    class Loose(Record):
        text: Annotated[str, StringConstraints(pattern=r"^a\s?b\Z")]

    decoder = FastDecoder(Loose)
    assert decoder.decode_batch([b'{"text":"a b"}', b'{"text":"ab"}']) is not None
    assert decoder.decode_batch([b'{"text":"a"}', b'{"text":"b"}']) is None
    assert not can_be_joined(r"^a\s?b\Z")
    assert not can_be_joined(r"^[^a]\Z")
    assert not can_be_joined(r"^a|b\Z")
    assert not can_be_joined(r"^.\Z")


def test_a_struct_encodes_to_what_its_model_encodes_to() -> None:
    record = Scan.model_validate_json(scan())
    assert msgspec.json.decode(record.to_json()) == msgspec.json.decode(encode_batch([DECODER.decode(scan())])[0])


def test_a_text_of_fixed_width_is_matched_as_its_pattern_matches_it() -> None:
    pattern = r"^[0-9a-f]{2}-7[89ab]\Z"
    check = FixedWidth(positions_of(pattern) or [])
    good = ["0a-78", "ff-7b", "00-79"]
    assert check.holds_for_all(good)
    bad = ["0a-77", "0A-78", "0a-7", "0a-788", "0a-7\n", "\n0a-7", "0a_78", "", "0a-7é", "0a-7\ud800"]
    for text in bad:
        assert re.match(pattern, text) is None
        assert not check.holds_for_all([*good, text])
    assert not check.holds_for_all(["0a-788", "0a-7", "8"])
    assert not check.holds_for_all(["0a-78\n0a-78"])


@pytest.mark.parametrize("pattern", [r"^a?\Z", r"^(?:ab)\Z", r"^[^a]\Z", r"^a{1,2}\Z", r"^a", r"^.\Z", r"^\Z"])
def test_a_pattern_without_one_width_is_left_to_the_regular_expression(pattern: str) -> None:
    assert positions_of(pattern) is None
