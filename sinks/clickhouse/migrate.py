"""Brings a database to the newest schema: numbered files, forward only, each applied once and never changed after."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.errors import ConfigurationError, FatalError
from sinks.clickhouse.few_rows import insert_rows
from sinks.clickhouse.reference import load_reference_data, store_timezone
from sinks.clickhouse.retention import apply_retention
from sinks.clickhouse.sqlfiles import Migration, read_migrations, without_replaced_views
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.under_way import wait_for_inserts

State = Literal["applied", "pending"]

_LONGEST_STATEMENT_S: Final = 86_400.0
"""A statement may copy a table."""
_COPIES: Final = re.compile(r"INSERT INTO \w+\s")
"""A statement that copies what is stored."""

_APPLIED_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT 'number: of the migration file',
    name String COMMENT 'text: of the migration file',
    checksum String COMMENT 'SHA-256 of the file when it was applied, hex',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'instant: when it was applied'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
COMMENT 'Migrations that were applied'
"""


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration and whether the database has it; `applied_at` is null while it is pending."""

    number: int
    name: str
    state: State
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `up` did, or in a dry run would do.

    Attributes:
        migrations: names of the applied files, in order.
        statements: the SQL, in order; without views that a later statement replaces before any other names them.
        retention: tables whose retention was changed.
        reference_rows: rows loaded into the reference tables.
    """

    migrations: tuple[str, ...]
    statements: tuple[str, ...]
    retention: tuple[str, ...]
    reference_rows: int


class Migrator:
    """Applies the migrations to one database.

    Args:
        target: the server and the database.
        retention_days: days that movements are kept; None lifts the retention (an analysis platform).
        migrations: the files; those of this package, unless given.
        timezone: of the city, an IANA name; None leaves what the database has.
    """

    def __init__(
        self,
        target: ClickHouseTarget,
        retention_days: int | None,
        migrations: Sequence[Migration] | None = None,
        timezone: str | None = None,
    ) -> None:
        self._target = target
        self._retention_days = retention_days
        self._timezone = timezone
        self._migrations = tuple(migrations) if migrations is not None else read_migrations()

    def status(self) -> list[MigrationStatus]:
        """Every migration and its state; all pending where the database does not exist.

        Raises:
            ConfigurationError: an applied file has changed since, or the database is ahead of this program.
            RetryableError: ClickHouse does not answer.
        """
        applied = self._applied()
        return [
            MigrationStatus(
                migration.number,
                migration.name,
                "applied" if migration.number in applied else "pending",
                applied[migration.number][1] if migration.number in applied else None,
            )
            for migration in self._migrations
        ]

    def up(self, *, dry_run: bool = False) -> Outcome:
        """Apply what is pending, fit the retention, load the reference data. Harmless to repeat.

        Args:
            dry_run: change nothing, and return the statements that would be run.

        Raises:
            ConfigurationError: as `status`.
            FatalError: a statement failed; what was applied before it stays, and the next run goes on there.
            RetryableError: ClickHouse does not answer.
        """
        applied = self._applied()
        pending = [migration for migration in self._migrations if migration.number not in applied]
        statements = without_replaced_views(
            [text for migration in pending for text in migration.statements(self._retention_days)]
        )
        names = tuple(f"{migration.number:04d}_{migration.name}" for migration in pending)
        if dry_run:
            return Outcome(names, tuple(statements), (), 0)
        server = self._target.client(use_database=False)
        server.command(f"CREATE DATABASE IF NOT EXISTS `{self._target.database}` ENGINE = Atomic")
        client = self._target.client(timeout=_LONGEST_STATEMENT_S)
        client.command(_APPLIED_TABLE)
        needed = set(statements)
        for migration in pending:
            self._apply(client, migration, needed)
        rules = [rule for migration in self._migrations for rule in migration.retention_rules()]
        changed = apply_retention(client, self._target.database, rules, self._retention_days)
        if self._timezone is not None:
            store_timezone(client, self._timezone)
        return Outcome(names, tuple(statements), changed, load_reference_data(client))

    def _apply(self, client: Client, migration: Migration, needed: Set[str]) -> None:
        for statement in migration.statements(self._retention_days):
            if statement not in needed:
                continue
            try:
                # Inserts that begin later find no way into the table, which a migration closes before it copies, or
                # go where the copies go: an insert knows the views that were there when it began.
                if _COPIES.match(statement):
                    wait_for_inserts(client)
                client.command(statement)
            except ClickHouseError as error:
                first_line = next(line for line in statement.splitlines() if not line.startswith("--"))
                raise FatalError(f"migration {migration.number:04d}_{migration.name}: {first_line}: {error}") from error
        row = [migration.number, migration.name, migration.checksum]
        insert_rows(client, "schema_migrations", ["number", "name", "checksum"], [row])

    def _applied(self) -> dict[int, tuple[str, datetime]]:
        """Checksum and time of the applied migrations, checked against the files."""
        client = self._target.client(use_database=False)
        known = client.query(
            "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'",
            parameters={"database": self._target.database},
        ).result_rows[0][0]
        if not known:
            return {}
        rows = self._target.client().query(
            "SELECT number, name, checksum, applied_at FROM schema_migrations FINAL ORDER BY number"
        )
        files = {migration.number: migration for migration in self._migrations}
        applied: dict[int, tuple[str, datetime]] = {}
        for number, name, checksum, applied_at in rows.result_rows:
            file = files.get(number)
            if file is None:
                raise ConfigurationError(
                    f"database {self._target.database!r} has migration {number:04d}_{name}, which this version does "
                    "not know: it was migrated by a newer one; use that"
                )
            if file.checksum != checksum:
                raise ConfigurationError(
                    f"migration {number:04d}_{file.name} was changed after it was applied to database "
                    f"{self._target.database!r}: restore the file and put the change into a new migration"
                )
            applied[number] = (checksum, applied_at)
        return applied


def require_migrated(target: ClickHouseTarget) -> None:
    """Check that nothing is pending.

    Raises:
        ConfigurationError: something is, or the files and the database disagree.
        RetryableError: ClickHouse does not answer.
    """
    pending = [entry for entry in Migrator(target, None).status() if entry.state == "pending"]
    if pending:
        raise ConfigurationError(
            f"{len(pending)} migrations are pending on database {target.database!r}: run `venuecode migrate up`"
        )
