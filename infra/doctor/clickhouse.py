"""ClickHouse: a server that answers, and tables of the newest version."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from infra.doctor.finding import Finding
from infra.doctor.surroundings import Surroundings
from schemas.errors import RetryableError
from sinks.clickhouse.migrate import Migrator


def check_clickhouse(surroundings: Surroundings) -> Iterable[Finding]:
    """The server answers and lets us in."""
    target = surroundings.clickhouse
    require_listener(target.host, target.port, surroundings.timeout)
    client = target.client(
        use_database=False, timeout=surroundings.timeout, connect_timeout=max(1, round(surroundings.timeout))
    )
    try:
        version = client.query("SELECT version()").result_rows[0][0]
    finally:
        client.close()
    return [Finding("ClickHouse", "ok", f"{version} answers at {target.host}:{target.port}")]


def require_listener(host: str, port: int, timeout: float) -> None:
    """Check that something listens, before a driver that would try again and say less.

    Raises:
        RetryableError: nothing does.
    """
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        raise RetryableError(f"nothing answers at {host}:{port} ({error.strerror or error})") from error


def check_migrations(surroundings: Surroundings) -> Iterable[Finding]:
    """The tables are of the newest version."""
    retention = surroundings.settings.retention
    entries = Migrator(surroundings.clickhouse, None if retention.analysis else retention.days).status()
    return [migration_finding([entry.name for entry in entries if entry.state == "pending"], len(entries))]


def migration_finding(pending: list[str], total: int) -> Finding:
    if pending:
        return Finding(
            "migrations", "fail", f"{len(pending)} of {total} are pending: {', '.join(pending)}", "venuecode migrate up"
        )
    return Finding("migrations", "ok", f"all {total} are applied")
