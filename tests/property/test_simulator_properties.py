"""Properties of the simulator's parts against slow, plain counterparts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.simulator import Span, plan_case
from producers.simulator.cases import INDEX
from producers.simulator.encoding import Text, hex_text, join, time_text, uuid7_text
from schemas.ids import uuid7
from tests.support.simulated import START_MS, make_city

CITY = make_city(residents=10)
INSTANTS = st.integers(0, 4_102_444_800_000)


def words(rows: Text) -> list[str]:
    return [row.tobytes().decode() for row in rows]


@given(st.lists(INSTANTS, min_size=1, max_size=50))
def test_times_are_written_as_the_standard_library_writes_them(instants: list[int]) -> None:
    for text, at in zip(words(time_text(np.array(instants, np.int64))), instants, strict=True):
        seconds, millis = divmod(at, 1000)
        assert text == datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{millis:03d}Z"


@given(st.lists(st.tuples(INSTANTS, st.binary(min_size=10, max_size=10)), min_size=1, max_size=50))
def test_scan_ids_are_those_of_the_plain_function(pairs: list[tuple[int, bytes]]) -> None:
    raw = np.frombuffer(b"".join(random for _, random in pairs), np.uint8).reshape(-1, 10)
    for text, (at, random) in zip(words(uuid7_text(np.array([at for at, _ in pairs]), raw)), pairs, strict=True):
        rand_a = int.from_bytes(random[:2]) & 0xFFF
        rand_b = int.from_bytes(random[2:]) & (1 << 62) - 1
        assert text == uuid7(at, rand_a << 62 | rand_b)


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20))
def test_joined_rows_are_their_parts_side_by_side(tokens: list[bytes]) -> None:
    rows = hex_text(np.frombuffer(b"".join(tokens), np.uint8).reshape(-1, 16))
    assert join(len(tokens), [b"<", rows, b">"]) == [b"<" + token.hex().encode() + b">" for token in tokens]


@settings(max_examples=200)
@given(st.integers(0, 1_000), st.integers(100, 20_000), st.integers(0, 86_400 * 30))
def test_in_a_case_of_any_length_at_any_time_exactly_the_contacts_meet_the_index_case(
    number: int, seconds: int, offset: int
) -> None:
    begin = START_MS + offset * 1000
    span = Span(begin, begin + seconds * 1000, begin + seconds * 1500, begin + seconds * 1600)
    case = plan_case(CITY.config, CITY.venue_table, number, span)
    met = {meeting.contact for meeting in case.meetings(CITY.venue_table, CITY.zone)}
    assert met == {case.token(row) for row in range(len(case.tokens)) if row != INDEX and row not in case.decoys}
    assert all(begin <= stay.enter_ms <= stay.leave_ms <= span.end_ms for stay in case.stays)
    assert len({case.token(row) for row in range(len(case.tokens))}) == len(case.tokens)
