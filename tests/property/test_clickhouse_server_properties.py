"""Codecs and statement splitting, whatever the content and wherever the pieces are cut."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import pairwise

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.clickhouse.blocks import BlockDecoder, BlockEncoder
from infra.embedded.clickhouse.codecs import ENCODINGS, Decoder, decoder_for, encoder_for
from infra.embedded.clickhouse.errors import ServerError
from infra.embedded.clickhouse.insert import Insert
from infra.embedded.clickhouse.sqltext import tokens
from infra.embedded.clickhouse.statement import parse

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}
contents = st.lists(st.binary(max_size=400), max_size=6)
cuts = st.lists(st.integers(0, 3000), max_size=12)


def _pieces(data: bytes, at: list[int]) -> list[bytes]:
    bounds = [0, *sorted(min(cut, len(data)) for cut in at), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


def _decode(decoder: Decoder, pieces: list[bytes]) -> bytes:
    content = b"".join(decoder.decode(piece) for piece in pieces)
    decoder.finish()
    return content


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(frames=contents, at=cuts)
def test_frames_in_a_row_are_all_decoded_wherever_they_are_cut(
    encoding: str, frames: list[bytes], at: list[int]
) -> None:
    decoder = decoder_for(encoding)
    assert decoder is not None
    sent = b"".join(COMPRESS[encoding](frame) for frame in frames)
    assert _decode(decoder, _pieces(sent, at)) == b"".join(frames)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(parts=contents, at=cuts)
def test_what_is_encoded_piece_by_piece_comes_back(encoding: str, parts: list[bytes], at: list[int]) -> None:
    encoder, decoder = encoder_for(encoding), decoder_for(encoding)
    assert decoder is not None
    sent = b"".join(encoder.encode(part) for part in parts) + encoder.finish()
    assert _decode(decoder, _pieces(sent, at)) == b"".join(parts)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(content=st.binary(min_size=20, max_size=300), lost=st.integers(1, 10))
def test_a_frame_that_ends_early_is_an_error(encoding: str, content: bytes, lost: int) -> None:
    decoder = decoder_for(encoding)
    assert decoder is not None
    with pytest.raises(ServerError, match=r"Code: 271\."):
        _decode(decoder, [COMPRESS[encoding](content)[:-lost]])


@given(parts=contents, at=cuts)
def test_clickhouses_blocks_come_back_wherever_they_are_cut(parts: list[bytes], at: list[int]) -> None:
    encoder = BlockEncoder()
    sent = b"".join(encoder.encode(part) for part in parts) + encoder.finish()
    assert _decode(BlockDecoder(), _pieces(sent, at)) == b"".join(parts)


@given(content=st.binary(min_size=1, max_size=300), data=st.data())
def test_a_changed_byte_in_a_block_is_an_error(content: bytes, data: st.DataObject) -> None:
    encoder = BlockEncoder()
    sent = bytearray(encoder.encode(content) + encoder.finish())
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ServerError):
        _decode(BlockDecoder(), [bytes(sent)])


@given(
    columns=st.sampled_from([b"", b" (a, b)", b" (`FORMAT x`, values)"]),
    settings=st.sampled_from([b"", b" SETTINGS a = 'FORMAT CSV', b = 2", b" /* FORMAT CSV */"]),
    gap=st.sampled_from([b"\n", b"\r\n", b"  \n"]),
    rows=st.binary(max_size=200),
    at=cuts,
)
def test_rows_after_a_statement_are_the_same_bytes_wherever_the_body_is_cut(
    columns: bytes, settings: bytes, gap: bytes, rows: bytes, at: list[int]
) -> None:
    body = b"INSERT INTO t" + columns + settings + b" FORMAT Native" + gap + rows
    text, rest, statement = b"", _pieces(body, at), None
    while statement is None:
        text += rest.pop(0)
        statement = parse(text, complete=not rest, default_format=None)
    assert isinstance(statement, Insert)
    assert statement.format == "Native"
    assert text[statement.data_at :] + b"".join(rest) == rows


@given(st.binary(max_size=300))
def test_any_bytes_are_cut_into_tokens_in_order(sql: bytes) -> None:
    end = 0
    for token in tokens(sql):
        assert end <= token.begin < token.end <= len(sql)
        end = token.end


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_statement_or_an_error_of_the_clients(sql: bytes, complete: bool) -> None:
    try:
        statement = parse(sql, complete=complete, default_format=None)
    except ServerError:
        return
    assert statement is not None or not complete
