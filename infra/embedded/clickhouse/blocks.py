"""ClickHouse's own block compression (`compress=1` and `decompress=1`), which JDBC clients use.

A block is: 16 bytes CityHash128 of the rest; 1 byte method; 4 bytes size of method, sizes and data; 4 bytes size of the
content; data. Sizes are little-endian (ClickHouse's src/Compression/ICompressionCodec.h).
"""

from __future__ import annotations

import struct

import lz4.block
import zstandard

from infra.embedded.clickhouse.cityhash import cityhash128
from infra.embedded.clickhouse.errors import CANNOT_DECOMPRESS, CHECKSUM_DOESNT_MATCH, ServerError

_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_CHECKSUM = 16
_HEADER = struct.Struct("<BII")
_BLOCK_BYTES = 1 << 20
_LARGEST_BYTES = 1 << 30


class BlockEncoder:
    """Compresses a stream into LZ4 blocks of 1 MiB of content."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def encode(self, data: bytes) -> bytes:
        self._waiting += data
        blocks = []
        while len(self._waiting) >= _BLOCK_BYTES:
            blocks.append(_block(bytes(self._waiting[:_BLOCK_BYTES])))
            del self._waiting[:_BLOCK_BYTES]
        return b"".join(blocks)

    def finish(self) -> bytes:
        rest, self._waiting = bytes(self._waiting), bytearray()
        return _block(rest) if rest else b""


class BlockDecoder:
    """Undoes it, from pieces cut anywhere; knows the methods LZ4, ZSTD and none."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def decode(self, data: bytes) -> bytes:
        self._waiting += data
        parts = []
        while len(self._waiting) >= _CHECKSUM + _HEADER.size:
            method, size, content_size = _HEADER.unpack_from(self._waiting, _CHECKSUM)
            if not _HEADER.size <= size <= _LARGEST_BYTES or content_size > _LARGEST_BYTES:
                raise _broken(f"a block of {size} bytes with {content_size} bytes of content")
            if len(self._waiting) < _CHECKSUM + size:
                break
            body = bytes(self._waiting[_CHECKSUM : _CHECKSUM + size])
            if cityhash128(body) != self._waiting[:_CHECKSUM]:
                raise ServerError(
                    CHECKSUM_DOESNT_MATCH, "Checksum doesn't match: corrupted data", "CHECKSUM_DOESNT_MATCH"
                )
            del self._waiting[: _CHECKSUM + size]
            parts.append(_content(method, body[_HEADER.size :], content_size))
        return b"".join(parts)

    def finish(self) -> None:
        if self._waiting:
            raise _broken("the data ends within a block")


def _block(content: bytes) -> bytes:
    data: bytes = lz4.block.compress(content, store_size=False)
    body = _HEADER.pack(_LZ4, _HEADER.size + len(data), len(content)) + data
    return cityhash128(body) + body


def _content(method: int, data: bytes, size: int) -> bytes:
    content: bytes
    try:
        if method == _LZ4:
            content = bytes(lz4.block.decompress(data, uncompressed_size=size))
        elif method == _ZSTD:
            content = bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=size))
        elif method == _NONE:
            content = data
        else:
            raise _broken(f"unknown method {method:#x}")
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise _broken(str(error)) from None
    if len(content) != size:
        raise _broken(f"{len(content)} bytes of content where {size} were announced")
    return content


def _broken(detail: str) -> ServerError:
    return ServerError(CANNOT_DECOMPRESS, f"Cannot decompress the request's body: {detail}", "CANNOT_DECOMPRESS")
