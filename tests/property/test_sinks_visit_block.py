"""Visits read by the column are what the decoder makes of them, and nothing that it rejects passes."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import RejectError
from schemas.topics import Topics
from schemas.visit import Visit
from sinks.clickhouse.routes import routes
from sinks.clickhouse.visit_block import visit_block
from tests.support.documents import documents, spoilt, to_bytes
from tests.support.native_blocks import BlockReader
from tests.support.plain_visits import VISITS, as_read, as_written
from tests.support.visit_rows import visit_document

ROUTE = routes(Topics())[Topics().visits]
PLAIN = as_written(visit_document("a" * 32, 1_790_000_000_000, 5))
PARTS = (*b'"\\,:{}[]-+.eE0123456789 \n\0', 0xC3, *b"null", *b"abc")


def is_good(value: bytes) -> bool:
    """Whether the sink takes a value as a visit."""
    try:
        return ROUTE.in_range([ROUTE.decoder.decode(value)])
    except RejectError:
        return False


@given(st.lists(VISITS, min_size=1, max_size=6))
def test_a_block_of_visits_says_what_the_visits_say(visits: list[dict[str, Any]]) -> None:
    block = visit_block([as_written(visit) for visit in visits])
    assert block is not None
    assert BlockReader(block).rows() == [as_read(visit) for visit in visits]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A plain visit after a change to its bytes."""
    value = bytearray(as_written(draw(VISITS)))
    at = draw(st.integers(0, len(value) - 1))
    end = at + draw(st.integers(0, 4))
    value[at:end] = bytes(draw(st.lists(st.sampled_from(PARTS), max_size=4)))
    return bytes(value)


@given(st.lists(st.one_of(changed(), changed(), spoilt(Visit), documents(Visit).map(to_bytes)), min_size=1, max_size=3))
@example([PLAIN.replace(b'"lat":37.87', b'"lat":90.5')])
@example([PLAIN.replace(b'"lat":37.87', b'"lat":037.8')])
@example([PLAIN.replace(b'"lon":112.55', b'"lon":-180.1')])
@example([PLAIN.replace(b'"status_version":1', b'"status_version":9007199254740993')])
@example([PLAIN.replace(b'"source_partition":0', b'"source_partition":2147483648')])
@example([PLAIN.replace(b'"source_offset":5', b'"source_offset":-5')])
@example([PLAIN.replace(b'"flags":[]', b'"flags":["late","nothing"]')])
@example([PLAIN.replace(b'"labels":[]', b'"labels":["' + b"x" * 65 + b'"]')])
@example([PLAIN.replace(b'"trip":null', b'"trip":{"vehicle":null,"run":"R","carriage":null,"seat":null}')])
@example([PLAIN.replace(b"140105", b"1401051")])
@example([PLAIN.replace(b"2026-09-21", b"1970-09-21")])
@example([PLAIN[:-1], PLAIN[-1:]])
@example([PLAIN + b"\n" + PLAIN])
@example([PLAIN, b""])
def test_a_block_holds_nothing_that_the_decoder_rejects(values: list[bytes]) -> None:
    block = visit_block(values)
    if block is not None:
        assert all(map(is_good, values))
        assert len(BlockReader(block).rows()) == len(values)


@given(st.lists(VISITS, min_size=1, max_size=3), spoilt(Visit))
def test_one_value_in_another_spelling_leaves_the_piece_to_the_decoder(
    visits: list[dict[str, Any]], other: bytes
) -> None:
    plain = [as_written(visit) for visit in visits]
    both = visit_block([*plain, other])
    assert (both is None) == (visit_block([other]) is None)
