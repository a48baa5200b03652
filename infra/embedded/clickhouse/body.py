"""The body of a request: read piece by piece, decompressed on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.types import Receive

from infra.embedded.clickhouse.codecs import Decoder
from infra.embedded.clickhouse.errors import QUERY_IS_TOO_LARGE, ServerError


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class RequestBody:
    """The pieces of a body as they arrive.

    Args:
        receive: the ASGI channel.
        decoders: applied in this order.
    """

    def __init__(self, receive: Receive, decoders: list[Decoder]) -> None:
        self._receive = receive
        self.decoders = decoders
        self.complete = False

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
        return body, self.complete
