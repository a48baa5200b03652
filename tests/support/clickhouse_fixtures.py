"""Fixtures that start ClickHouse."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from tests.support.docker import docker_available

CONTAINER_IMAGE = "clickhouse/clickhouse-server:25.8"


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


@pytest.fixture(scope="session")
def clickhouse_container() -> Iterator[ClickHouseServer]:
    """A ClickHouse server of a long-term release in a container; skips where containers cannot be started."""
    reason = docker_available()
    if reason is not None:
        pytest.skip(reason)
    from testcontainers.community.clickhouse import ClickHouseContainer

    with ClickHouseContainer(CONTAINER_IMAGE, username="tester", password="tester") as container:
        port = int(container.get_exposed_port(8123))
        yield ClickHouseServer(container.get_container_host_ip(), port, "tester", "tester")
