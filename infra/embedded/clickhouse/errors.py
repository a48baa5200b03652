"""Errors as ClickHouse's HTTP interface tells them: a code, a name, a text, an HTTP status."""

from __future__ import annotations

import re

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_VERSION = re.compile(r" \(version [0-9.]+(?: \(official build\))?\)")

# exceptionCodeToHTTPStatus in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp, by code number.
_STATUS_BY_CODES: dict[int, frozenset[int]] = {
    400: frozenset(
        {6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676}
    ),
    401: frozenset({194}),
    403: frozenset({192, 193, 497, 512, 516}),
    404: frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511}),
    408: frozenset({159}),
    411: frozenset({381}),
    413: frozenset({229}),
    501: frozenset({48}),
    503: frozenset({76, 209, 439}),
}
_STATUS = {code: status for status, codes in _STATUS_BY_CODES.items() for code in codes}

UNSUPPORTED_METHOD = 1
BAD_ARGUMENTS = 36
CHECKSUM_DOESNT_MATCH = 40
SYNTAX_ERROR = 62
UNKNOWN_TYPE_OF_QUERY = 78
READONLY = 164
QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216
UNKNOWN_COMPRESSION_METHOD = 89
QUERY_IS_TOO_LARGE = 229
CANNOT_DECOMPRESS = 271
SESSION_NOT_FOUND = 372
SESSION_IS_LOCKED = 373
QUERY_WAS_CANCELLED = 394
UNKNOWN_ROLE = 511
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002


class ServerError(Exception):
    """An error that the client is told.

    Attributes:
        code: ClickHouse's error number.
        message: the whole text, `Code: N. DB::Exception: ... (NAME)`, without version.
    """

    def __init__(self, code: int, text: str, name: str) -> None:
        self.code = code
        self.message = f"Code: {code}. DB::Exception: {text} ({name})"
        super().__init__(self.message)

    @classmethod
    def from_engine(cls, text: str) -> ServerError:
        """The error in a text that the engine raised.

        A text without a code becomes UNKNOWN_EXCEPTION (1002). The engine repeats the `Code: N. DB::Exception:`
        of a nested error in front of itself; one is enough.
        """
        found = _CODE.search(text)
        if found is None:
            return cls(UNKNOWN_EXCEPTION, text.strip() or "The engine gave no reason.", "UNKNOWN_EXCEPTION")
        error = cls.__new__(cls)
        error.code = int(found[1])
        body = _VERSION.sub("", text[found.start() :]).strip()
        while body.startswith(found[0] + found[0]):
            body = body[len(found[0]) :]
        name = re.search(r"(?: \([A-Z0-9_]+\))+$", body)
        if name is not None:
            last = name[0].rsplit(" ", 1)[1]
            body = f"{body[: name.start()]} {last}"
        error.message = body
        Exception.__init__(error, body)
        return error

    @property
    def http_status(self) -> int:
        """The status that ClickHouse answers with; 500 for all codes that have none of their own."""
        return _STATUS.get(self.code, 500)

    def render(self, version: str) -> bytes:
        """The text as it stands in a response body."""
        return f"{self.message} (version {version} (official build))\n".encode()
