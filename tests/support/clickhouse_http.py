"""Plain HTTP to a ClickHouse server, as curl would speak it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def connection(host: str, port: int) -> Iterator[http.client.HTTPConnection]:
    """An HTTP connection, closed afterwards."""
    found = http.client.HTTPConnection(host, port, timeout=60)
    try:
        yield found
    finally:
        found.close()


def ask(
    host: str,
    port: int,
    query: str | None = None,
    *,
    method: str = "POST",
    path: str = "/",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Answer:
    """One request; `query` and the parameters go into the address; header names come back in lower case."""
    if query is not None:
        parameters["query"] = query
    address = f"{path}?{urlencode(parameters)}" if parameters else path
    with connection(host, port) as link:
        link.request(method, address, body=body, headers=dict(headers or {}))
        response = link.getresponse()
        content = response.read()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content)
