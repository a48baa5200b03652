"""The body of a request: read piece by piece, decompressed on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from starlette.types import Receive

from infra.embedded.clickhouse.codecs import Decoder
from infra.embedded.clickhouse.errors import QUERY_IS_TOO_LARGE, ServerError


class RestOfBody(Protocol):
    """What of a body was not received yet (`infra.embedded.clickhouse.bulk`)."""

    first: bytes

    async def move_to(self, pipe: int) -> None:
        """Move all of it into a pipe."""


TakeOver = Callable[[int], RestOfBody | None]


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class RequestBody:
    """The pieces of a body as they arrive.

    Args:
        receive: the ASGI channel.
        decoders: applied in this order.
        take_over: gives what was not received yet as a `RestOfBody`, where that is possible.
    """

    def __init__(self, receive: Receive, decoders: list[Decoder], take_over: TakeOver | None = None) -> None:
        self._receive = receive
        self._take_over = take_over
        self._received = 0
        self.decoders = decoders
        self.complete = False

    def rest(self) -> RestOfBody | None:
        """All that was not received yet, to be moved by the kernel; from then on this body is complete.

        None where that is not possible: go on with `pieces`.
        """
        if self.complete or self.decoders or self._take_over is None:
            return None
        rest = self._take_over(self._received)
        self.complete = rest is not None
        return rest

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content; may be iterated again after a break, for the rest.

        Raises:
            ClientGoneError: the connection was closed before the end.
            ServerError: the content cannot be decompressed.
        """
        while not self.complete:
            data, is_last = await self._next()
            for decoder in self.decoders:
                data = decoder.decode(data)
                if is_last:
                    decoder.finish()
            if data:
                yield data

    async def read(self, most: int) -> bytes:
        """The whole content.

        Raises:
            ServerError: it has more than `most` bytes (QUERY_IS_TOO_LARGE).
            ClientGoneError: the connection was closed before the end.
        """
        content = bytearray()
        async for piece in self.pieces():
            content += piece
            if len(content) > most:
                raise ServerError(QUERY_IS_TOO_LARGE, f"the body has more than {most} bytes", "QUERY_IS_TOO_LARGE")
        return bytes(content)

    async def drain(self) -> None:
        """Throw the rest away, so that the client, still sending, comes to read the answer."""
        while not self.complete:
            await self._next()

    async def wait_for_close(self) -> None:
        """Return when the client has closed the connection, or the response is complete."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> tuple[bytes, bool]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.complete = True
            raise ClientGoneError
        self.complete = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        self._received += len(body)
        return body, self.complete
