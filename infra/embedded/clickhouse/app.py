"""The HTTP interface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.embedded.clickhouse.auth import Credentials, gives_credentials
from infra.embedded.clickhouse.body import ClientGoneError, RequestBody
from infra.embedded.clickhouse.codecs import Decoder, choose_encoding, decoder_for, encoder_for
from infra.embedded.clickhouse.engine import Engine
from infra.embedded.clickhouse.errors import AUTHENTICATION_FAILED, UNKNOWN_EXCEPTION, ServerError
from infra.embedded.clickhouse.execute import Execution
from infra.embedded.clickhouse.request import QueryRequest, parse_address, parse_request
from infra.embedded.clickhouse.response import QueryResponse
from infra.embedded.clickhouse.sessions import Sessions

log = logging.getLogger("infra.embedded.clickhouse")
_ASK_FOR_PASSWORD = ("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"')


class QueryEndpoint:
    """`/`: queries, by GET (which may not change anything) and POST."""

    def __init__(self, engine: Engine, credentials: Credentials) -> None:
        self._engine = engine
        self._credentials = credentials
        self._sessions = Sessions(engine)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method: str = scope["method"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        names = parse_address(scope["query_string"])
        if method in ("GET", "HEAD") and "query" not in names:
            await PlainTextResponse("Ok.\n")(scope, receive, send)
            return
        if method not in ("GET", "HEAD", "POST"):
            await PlainTextResponse(f"Method {method} is not supported\n", 405)(scope, receive, send)
            return
        body = RequestBody(receive, [])
        try:
            await self._answer(method, names, headers, body, send)
        except ClientGoneError:
            log.debug("client closed the connection within its request")

    async def _answer(
        self, method: str, names: Mapping[str, str], headers: Mapping[str, str], body: RequestBody, send: Send
    ) -> None:
        response = QueryResponse(send, self._engine, names.get("query_id", ""))
        try:
            self._credentials.check(names, headers)
            request = parse_request(method, names, headers)
            body.decoders = _decoders(request)
            response = _response(send, self._engine, request)
            await self._execute(request, body, response)
        except ServerError as error:
            await body.drain()
            asks = error.code == AUTHENTICATION_FAILED and not gives_credentials(names, headers)
            await response.fail(error, status=401 if asks else None, extra=[_ASK_FOR_PASSWORD] if asks else [])
        except (ClientGoneError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("a request failed in the server itself")
            await response.fail(ServerError(UNKNOWN_EXCEPTION, "The server failed; see its log", "UNKNOWN_EXCEPTION"))
        finally:
            response.close()

    async def _execute(self, request: QueryRequest, body: RequestBody, response: QueryResponse) -> None:
        running = self._engine.running.add(request.query_id)
        execution = Execution(self._engine, request, body, response, running)
        lease = None
        try:
            lease = self._sessions.lend(request)
            result = await execution.run(lease)
        finally:
            work = execution.work
            if work is None:
                self._engine.running.remove(running)
                if lease is not None:
                    self._sessions.give_back(request)
            else:
                # Also when this request is over already: the engine may still be at it.
                work.add_done_callback(lambda _: self._sessions.give_back(request))
        await response.finish(result)


def _decoders(request: QueryRequest) -> list[Decoder]:
    found = [decoder_for(name) for name in reversed(request.content_encoding.split(","))]
    return [decoder for decoder in found if decoder is not None]


def _response(send: Send, engine: Engine, request: QueryRequest) -> QueryResponse:
    response = QueryResponse(send, engine, request.query_id, wait_end=request.wait_end)
    encoding = choose_encoding(request.encodings)
    if encoding is not None:
        response.content_encoding, response.encoder = encoding, encoder_for(encoding, request.zlib_level)
    return response


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("Ok.\n")


async def _not_found(request: Request, _error: Exception) -> Response:
    return PlainTextResponse(
        f"There is no handle {request.url.path}\n\nUse / or /ping for health checks.\n"
        "Or /replicas_status for more sophisticated health checks.\n\nSend queries from your program with POST method "
        "or GET /?query=...\n",
        404,
    )


def make_app(engine: Engine, credentials: Credentials) -> Starlette:
    """The application: `/`, `/ping`, `/replicas_status`."""
    return Starlette(
        routes=[
            Route("/ping", _ok),
            Route("/replicas_status", _ok),
            Route("/", QueryEndpoint(engine, credentials)),
        ],
        exception_handlers={404: _not_found},
    )
