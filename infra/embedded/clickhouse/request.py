"""What a request's address and headers ask for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from infra.embedded.clickhouse.errors import BAD_ARGUMENTS, UNKNOWN_ROLE, ServerError
from infra.embedded.clickhouse.multipart import ExternalTable

# Parts of the HTTP interface, not settings of the engine.
_RESERVED = frozenset(
    {
        "query", "database", "user", "password", "quota_key", "default_format", "query_id", "session_id",
        "session_timeout", "session_check", "close_session", "compress", "decompress", "buffer_size",
        "wait_end_of_query", "client_protocol_version", "stacktrace", "role",
    }
)  # fmt: skip
# Settings that steer the HTTP interface itself or that this server decides: asynchronous inserts would be
# acknowledged from memory, and the comment carries the query's id.
_NOT_FORWARDED = frozenset(
    {
        "enable_http_compression", "http_zlib_compression_level", "send_progress_in_http_headers",
        "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close", "http_wait_end_of_query",
        "http_response_buffer_size", "http_write_exception_in_output_format", "add_http_cors_header",
        "async_insert", "wait_for_async_insert", "log_comment",
    }
)  # fmt: skip
_TRUE = ("1", "true")
_MAX_SESSION_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """One request to `/`.

    Attributes:
        query: the part of the text that came in the address.
        database: to use; empty: the session's.
        default_format: of rows and results; None: not said.
        settings: of the engine, for this request.
        params: values of `{name:Type}` in the text, in ClickHouse's escaped form.
        session_id, session_timeout, session_check: of the HTTP session; None: without.
        compress, decompress: ClickHouse's own block compression of the response and of the request's body.
        wait_end: send nothing before the query has ended.
        encodings: the value of Accept-Encoding, empty when HTTP compression is off.
        tables: what the query may use besides the tables of the database.
    """

    query: bytes
    query_id: str
    database: str = ""
    default_format: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    session_id: str | None = None
    session_timeout: int = 60
    session_check: bool = False
    close_session: bool = False
    compress: bool = False
    decompress: bool = False
    wait_end: bool = False
    encodings: str = ""
    zlib_level: int = 3
    content_encoding: str = ""
    tables: Sequence[ExternalTable] = ()


def parse_address(query_string: bytes) -> dict[str, str]:
    """The parameters of an address; a repeated one counts as given last.

    Bytes that are not UTF-8 survive (as surrogates), because SQL may hold any.
    """
    return dict(
        parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="surrogateescape")
    )


def parse_request(
    method: str, names: Mapping[str, str], headers: Mapping[str, str], tables: Sequence[ExternalTable] = ()
) -> QueryRequest:
    """The request that address (or form) and headers (lower-case names) describe.

    Raises:
        ServerError: a parameter that is not a number, or a role.
    """
    if "role" in names:
        raise ServerError(UNKNOWN_ROLE, f"Role `{names['role']}` is unknown: there are no roles", "UNKNOWN_ROLE")
    about_tables = {f"{table.name}_{part}" for table in tables for part in ("structure", "types", "format")}
    no_settings = _RESERVED | _NOT_FORWARDED | about_tables
    settings = {
        name: value for name, value in names.items() if name not in no_settings and not name.startswith("param_")
    }
    if method in ("GET", "HEAD") and "readonly" not in settings:
        settings["readonly"] = "2"
    compression = names.get("enable_http_compression", "1").lower() in _TRUE
    return QueryRequest(
        query=names.get("query", "").encode("utf-8", "surrogateescape"),
        query_id=names.get("query_id") or headers.get("x-clickhouse-query-id") or str(uuid.uuid4()),
        database=names.get("database") or headers.get("x-clickhouse-database", ""),
        default_format=names.get("default_format") or headers.get("x-clickhouse-format"),
        settings=settings,
        params={name[6:]: value for name, value in names.items() if name.startswith("param_")},
        session_id=names.get("session_id") or None,
        session_timeout=_number(names, "session_timeout", 60, _MAX_SESSION_SECONDS),
        session_check=names.get("session_check", "") in _TRUE,
        close_session=names.get("close_session", "") in _TRUE,
        compress=names.get("compress", "") in _TRUE,
        decompress=names.get("decompress", "") in _TRUE,
        wait_end=names.get("wait_end_of_query", names.get("http_wait_end_of_query", "")) in _TRUE,
        encodings=headers.get("accept-encoding", "") if compression else "",
        zlib_level=_number(names, "http_zlib_compression_level", 3, 9),
        content_encoding=headers.get("content-encoding", ""),
        tables=tables,
    )


def _number(names: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = names.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise ServerError(BAD_ARGUMENTS, f"Invalid {name}: '{text}' is not a number up to {most}", "BAD_ARGUMENTS")
    return int(text)
