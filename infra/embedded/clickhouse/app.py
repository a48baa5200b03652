"""The HTTP interface."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.embedded.clickhouse.auth import Credentials, gives_credentials
from infra.embedded.clickhouse.blocks import BlockDecoder, BlockEncoder
from infra.embedded.clickhouse.body import ClientGoneError, RequestBody
from infra.embedded.clickhouse.bulk import REST_OF_BODY
from infra.embedded.clickhouse.codecs import choose_encoding, decoder_for, encoder_for
from infra.embedded.clickhouse.engine import Engine
from infra.embedded.clickhouse.errors import AUTHENTICATION_FAILED, UNKNOWN_EXCEPTION, ServerError
from infra.embedded.clickhouse.execute import Execution
from infra.embedded.clickhouse.multipart import parse_form
from infra.embedded.clickhouse.request import QueryRequest, parse_address, parse_request
from infra.embedded.clickhouse.response import QueryResponse
from infra.embedded.clickhouse.sessions import Sessions

log = logging.getLogger("infra.embedded.clickhouse")
_ASK_FOR_PASSWORD = ("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"')
_MAX_FORM = 256 << 20


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
        body = RequestBody(receive, [], scope.get("extensions", {}).get(REST_OF_BODY))
        try:
            await self._answer(method, names, headers, body, send)
        except ClientGoneError:
            log.debug("client closed the connection within its request")

    async def _answer(
        self, method: str, names: Mapping[str, str], headers: Mapping[str, str], body: RequestBody, send: Send
    ) -> None:
        response = QueryResponse(send, self._engine, names.get("query_id", ""))
        started = time.perf_counter()
        try:
            self._credentials.check(names, headers)
            request = await _read_request(method, names, headers, body)
            response = _response(send, self._engine, request)
            await self._execute(request, body, response)
        except ServerError as error:
            await body.drain()
            asks = error.code == AUTHENTICATION_FAILED and not gives_credentials(names, headers)
            await response.fail(error, status=401 if asks else None, extra=[_ASK_FOR_PASSWORD] if asks else [])
        except ClientGoneError:
            raise
        except Exception:
            log.exception("a request failed in the server itself")
            await response.fail(ServerError(UNKNOWN_EXCEPTION, "The server failed; see its log", "UNKNOWN_EXCEPTION"))
        finally:
            response.close()
            # Nothing of the address or the body: they may hold what must not be in a log.
            log.debug("%s / %s %.1f ms", method, response.status, (time.perf_counter() - started) * 1000)

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


async def _read_request(
    method: str, names: Mapping[str, str], headers: Mapping[str, str], body: RequestBody
) -> QueryRequest:
    content_type = headers.get("content-type", "")
    encodings = [decoder_for(name) for name in reversed(headers.get("content-encoding", "").split(","))]
    body.decoders = [decoder for decoder in encodings if decoder is not None]
    if content_type.lower().startswith("multipart/form-data"):
        form = parse_form(content_type, await body.read(_MAX_FORM))
        names = {**names, **form.fields}
        return parse_request(method, names, headers, form.tables(names))
    request = parse_request(method, names, headers)
    if request.decompress:
        body.decoders = [*body.decoders, BlockDecoder()]
    return request


def _response(send: Send, engine: Engine, request: QueryRequest) -> QueryResponse:
    response = QueryResponse(send, engine, request.query_id, wait_end=request.wait_end)
    encoding = choose_encoding(request.encodings)
    if request.compress:
        response.encoder = BlockEncoder()
    elif encoding is not None:
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
