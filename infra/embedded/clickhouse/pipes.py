"""Pipes between the event loop and the engine: bounded memory in both directions.

The engine opens `/dev/fd/N` as a file (`FROM INFILE`, `file()`, `INTO OUTFILE`), so data streams through the kernel's
pipe buffer, and whichever side is slower holds up the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator

CHUNK = 1 << 20
_FIRST_CHUNK = 1 << 16


def _pipe() -> tuple[int, int]:
    read_end, write_end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # Refused when the user's pipes are over the system's soft limit; the default of 64 KiB works too.
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, CHUNK)
    return read_end, write_end


class _End:
    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def path(self) -> str:
        """The file name that the engine opens."""
        return f"/dev/fd/{self.number}"

    @property
    def number(self) -> int:
        if self._descriptor is None:
            raise ValueError("the pipe is closed")
        return self._descriptor

    @property
    def closed(self) -> bool:
        return self._descriptor is None

    def close(self) -> None:
        """Close it; harmless when it is closed."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class InputPipe:
    """What the event loop writes and the engine reads."""

    def __init__(self) -> None:
        read_end, write_end = _pipe()
        os.set_blocking(write_end, False)
        self.engine_end = _End(read_end)
        self._own = _End(write_end)

    async def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`, waiting while the pipe is full.

        Raises:
            BrokenPipeError: the engine has stopped reading (its query has ended).
        """
        view = memoryview(data)
        while view:
            if self._own.closed or self.engine_end.closed:
                raise BrokenPipeError
            try:
                view = view[os.write(self._own.number, view) :]
            except BlockingIOError:
                await _ready(self._own.number, write=True)

    @property
    def number(self) -> int:
        """Descriptor of the end that is written to.

        Raises:
            ValueError: the pipe is finished.
        """
        return self._own.number

    def finish(self) -> None:
        """No more data: the engine sees the end of its file."""
        self._own.close()

    def engine_is_done(self) -> None:
        """The query has ended: a write that waits, or a later one, fails."""
        self.engine_end.close()


class OutputPipe:
    """What the engine writes and the event loop reads."""

    def __init__(self) -> None:
        read_end, write_end = _pipe()
        os.set_blocking(read_end, False)
        self.engine_end = _End(write_end)
        self._own = _End(read_end)

    async def chunks(self) -> AsyncIterator[bytes]:
        """What the engine writes, in pieces of at most 1 MiB, until `engine_is_done` was called and all is read."""
        # A read costs the room it asks for, and most answers are short.
        room = _FIRST_CHUNK
        while not self._own.closed:
            await _ready(self._own.number, write=False)
            chunk = os.read(self._own.number, room)
            if not chunk:
                return
            if len(chunk) == room:
                room = CHUNK
            yield chunk

    def engine_is_done(self) -> None:
        """The query has ended: what is in the pipe is the rest."""
        self.engine_end.close()

    def close(self) -> None:
        """Read no more: an engine that still writes fails with a broken pipe."""
        self._own.close()


async def _ready(descriptor: int, *, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        remove(descriptor)
