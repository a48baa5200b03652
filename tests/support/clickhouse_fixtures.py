"""Fixtures that start ClickHouse."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse


@dataclass(frozen=True, slots=True)
class ClickHouseServer:
    """Where a ClickHouse server is."""

    host: str
    port: int
    user: str = "default"
    password: str = ""

    def client(self, database: str | None = None, **options: Any) -> Any:
        """A clickhouse-connect client; close it when done."""
        return clickhouse_connect.get_client(
            host=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            database=database or "__default__",
            **options,
        )


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """The embedded ClickHouse, started once a session."""
    server = EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse"), port=0)
    server.start()
    try:
        yield ClickHouseServer(server.host, server.port)
    finally:
        server.stop()


@pytest.fixture
def clickhouse_database(clickhouse: ClickHouseServer) -> Iterator[str]:
    """The name of a fresh database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    client = clickhouse.client()
    try:
        client.command(f"CREATE DATABASE {name} ENGINE = Atomic")
        yield name
        client.command(f"DROP DATABASE {name} SYNC")
    finally:
        client.close()
