"""A TCP proxy that delays and cuts: a slow and unreliable network on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

_PIECE = 64 * 1024


class TcpProxy:
    """Listens on a free port of loopback and passes everything on, from its start until it is closed. Thread-safe.

    Args:
        target_port: on loopback.

    Attributes:
        delay_s: by which every piece is late, each way; may be changed at any time.
    """

    def __init__(self, target_port: int) -> None:
        self.delay_s = 0.0
        self.passed_bytes = 0
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._refusing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def cut(self) -> int:
        """Break every connection off (with a reset, in mid-message if need be); how many there were."""
        return int(self._call(self._cut()))

    def refuse(self, refusing: bool) -> None:
        """Whether new connections are broken off at once."""
        self._refusing = refusing

    def close(self) -> None:
        """Break everything off and stop listening."""
        self._server.close()
        self.cut()
        self._call(self._wait_for_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _wait_for_tasks(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> int:
        for writer in self._writers:
            _reset(writer)
        return len(self._writers) // 2

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            # Cancelled when the proxy is closed; to the server a cancelled task of its would be an error.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pieces leave in order, each `delay_s` after it came; later pieces do not wait for earlier ones' delays."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

        async def take() -> None:
            while True:
                piece = await reader.read(_PIECE)
                await queue.put((loop.time() + self.delay_s, piece))
                if not piece:
                    return

        taking = asyncio.create_task(take())
        try:
            with contextlib.suppress(OSError):
                while True:
                    due, piece = await queue.get()
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    if not piece:
                        writer.transport.abort()
                        return
                    self.passed_bytes += len(piece)
                    writer.write(piece)
                    await writer.drain()
        finally:
            taking.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await taking


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end of the stream."""
    with contextlib.suppress(OSError):  # closed already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
