"""Lines of a file in any encoding, plain or gzip, counted, with a way to put some back."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from schemas.errors import ConfigurationError

MAX_LINE: Final = 1_000_000
"""Characters; a longer line (a binary file, a file without line ends) is handed on in pieces, marked as too long."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Bytes that cannot be decoded, as lone surrogates (as `surrogateescape` has them), whatever the codec."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) if byte >= 0x80 else chr(byte) for byte in bad), error.end


codecs.register_error("venuecode-escape", _escape)


def codec_name(encoding: str) -> str:
    """The canonical name of an encoding; UTF-8 with or without a byte-order mark is one.

    Raises:
        ConfigurationError: Python knows no such text encoding.
    """
    try:
        info = codecs.lookup(encoding)
    except LookupError:
        raise ConfigurationError(f"unknown encoding {encoding!r}; try utf-8, gbk, gb18030 or latin-1") from None
    if not getattr(info, "_is_text_encoding", True):
        raise ConfigurationError(f"{encoding!r} is no text encoding; try utf-8, gbk, gb18030 or latin-1")
    return "utf-8-sig" if info.name == "utf-8" else info.name


def encoding_label(encoding: str) -> str:
    """An encoding as part of a reject's reason: `utf8`, `gbk`."""
    return codec_name(encoding).removesuffix("-sig").replace("-", "").replace("_", "")


class Lines(Iterator[str]):
    """An iterator over lines, line ends kept.

    Args:
        stream: text, opened with `newline=""`.

    Attributes:
        number: of the line handed out last; the first is 1.
        taken: lines handed out since `mark` was called.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def _read(self) -> str:
        try:
            return self._stream.readline(MAX_LINE)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ConfigurationError(
                f"the compressed file breaks off or is damaged after line {self.number}: {error}; get it again"
            ) from None

    def mark(self) -> None:
        """Forget the lines taken so far."""
        self.taken = []

    def put_back(self, lines: Sequence[str]) -> None:
        """Hand these out again, first of all; they must be the last ones handed out."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)


class ByteProgress:
    """How far a file has been read, in bytes as they lie on the disk (compressed ones, where it is compressed)."""

    def __init__(self, raw: BinaryIO, total: int) -> None:
        self._raw = raw
        self.total = total

    @property
    def done(self) -> int:
        """Bytes read so far; buffering makes it run ahead a little."""
        return self._raw.tell()


def decoded(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Bytes as text; gzip is recognised by its first two bytes, not by a name.

    Raises:
        ConfigurationError: unknown encoding.
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    data: BinaryIO = buffered
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        data = gzip.GzipFile(fileobj=buffered)  # type: ignore[assignment]
    return io.TextIOWrapper(data, encoding=codec_name(encoding), errors="venuecode-escape", newline="")


@contextmanager
def open_lines(path: Path, encoding: str) -> Iterator[tuple[Lines, ByteProgress]]:
    """The lines of a file, and how far they have been read.

    Raises:
        ConfigurationError: there is no such file, or it cannot be read; unknown encoding.
    """
    try:
        raw = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    with raw, decoded(raw, encoding) as text:
        yield Lines(text), ByteProgress(raw, size)
