"""HTTP body compression: decoders that take input cut anywhere, encoders that stream.

A request body may be *several* compressed frames one after the other: clickhouse-connect sends each of its blocks as
a frame of its own. Decoding only the first would lose the others without an error.
"""

from __future__ import annotations

import zlib
from typing import Any, Protocol

import lz4.frame
import zstandard

from infra.embedded.clickhouse.errors import CANNOT_DECOMPRESS, UNKNOWN_COMPRESSION_METHOD, ServerError

ENCODINGS = ("lz4", "zstd", "gzip", "deflate")


class Decoder(Protocol):
    """Undoes a compression, piece by piece."""

    def decode(self, data: bytes) -> bytes:
        """What `data` adds to the content.

        Raises:
            ServerError: the data is not in the format (CANNOT_DECOMPRESS).
        """

    def finish(self) -> None:
        """Check that the last frame was whole.

        Raises:
            ServerError: the data ends within a frame.
        """


class Encoder(Protocol):
    """Compresses a stream."""

    def encode(self, data: bytes) -> bytes:
        """Take `data`, give what is ready."""

    def finish(self) -> bytes:
        """The rest."""


class FrameDecoder:
    """Decodes any number of frames in a row.

    Args:
        encoding: `gzip`, `deflate`, `zstd` or `lz4`.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._frame: Any = None

    def decode(self, data: bytes) -> bytes:
        parts = []
        while data:
            if self._frame is None:
                self._frame = _frame_decoder(self._encoding, data)
            try:
                parts.append(self._frame.decompress(data))
            except (zlib.error, zstandard.ZstdError, RuntimeError, EOFError) as error:
                raise _broken(f"{self._encoding}: {error}") from None
            data = b""
            if self._frame.eof:
                data = self._frame.unused_data or b""
                self._frame = None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        if self._frame is not None:
            raise _broken(f"{self._encoding}: the data ends within a frame")


def _frame_decoder(encoding: str, first: bytes) -> Any:
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    if encoding == "deflate":
        # RFC 9110 means zlib's format; senders of the bare one exist, and zlib's first byte tells them apart.
        return zlib.decompressobj(wbits=15 if first[0] & 0x0F == 8 else -15)
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    return lz4.frame.LZ4FrameDecompressor()


def _broken(detail: str) -> ServerError:
    return ServerError(CANNOT_DECOMPRESS, f"Cannot decompress the request's body, {detail}", "CANNOT_DECOMPRESS")


def decoder_for(encoding: str) -> Decoder | None:
    """The decoder of a request's Content-Encoding; None for one that changes nothing.

    Raises:
        ServerError: the encoding is unknown (UNKNOWN_COMPRESSION_METHOD).
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ENCODINGS:
        return FrameDecoder(name)
    raise ServerError(
        UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method: {encoding}", "UNKNOWN_COMPRESSION_METHOD"
    )


class _ZlibEncoder:
    def __init__(self, wbits: int, level: int) -> None:
        self._zlib = zlib.compressobj(level=level, wbits=wbits)

    def encode(self, data: bytes) -> bytes:
        return self._zlib.compress(data)

    def finish(self) -> bytes:
        return self._zlib.flush()


class _ZstdEncoder:
    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=1).compressobj()

    def encode(self, data: bytes) -> bytes:
        return self._zstd.compress(data)

    def finish(self) -> bytes:
        return self._zstd.flush()


class _Lz4Encoder:
    def __init__(self) -> None:
        self._lz4 = lz4.frame.LZ4FrameCompressor()
        self._header: bytes = self._lz4.begin()

    def encode(self, data: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._lz4.compress(data))

    def finish(self) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._lz4.flush())


def choose_encoding(accept: str) -> str | None:
    """The encoding of a response: the first of `Accept-Encoding` that is known here; None: uncompressed."""
    for item in accept.split(","):
        name, _, weight = item.partition(";")
        if name.strip().lower() in ENCODINGS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip().lower()
    return None


def encoder_for(encoding: str, zlib_level: int = 3) -> Encoder:
    """The encoder of one of `ENCODINGS`."""
    if encoding == "gzip":
        return _ZlibEncoder(31, zlib_level)
    if encoding == "deflate":
        return _ZlibEncoder(15, zlib_level)
    return _ZstdEncoder() if encoding == "zstd" else _Lz4Encoder()
