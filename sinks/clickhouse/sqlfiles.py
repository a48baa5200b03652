"""The migration files: where they are, what is filled into them, how they fall into statements."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from schemas.errors import ConfigurationError

_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_INCLUDE = re.compile(r"\{\{include:(\w+)\}\}")
_RETENTION = re.compile(r"\{\{retention:(\w+)(?::([^}]*))?\}\}")
_STATEMENT_END = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)
_CREATED_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")
_REPLACED_VIEW = re.compile(r"CREATE OR REPLACE VIEW (\w+)")
_WORD = re.compile(r"\w+")
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'")


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Which rows of a table time takes away: those whose `column` is older than the retention, where `condition`."""

    table: str
    column: str
    condition: str

    def clause(self, days: int) -> str:
        """The rule as ClickHouse's TTL expression."""
        return self.expiring(f"{days} DAY")

    def expiring(self, interval: str) -> str:
        """The rule for another retention than days, such as `600 SECOND`."""
        where = f" WHERE {self.condition}" if self.condition else ""
        return f"toDateTime({self.column}) + INTERVAL {interval} DELETE{where}"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file.

    Attributes:
        text: the file with its fragments in place; retention is still a placeholder.
    """

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text: the same whatever the retention is."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, retention_days: int | None) -> list[str]:
        """The statements in order; without a TTL where `retention_days` is None."""
        text = _RETENTION.sub(lambda found: _ttl(found, retention_days), self.text)
        # A comment line may end like a statement does.
        parts = _STATEMENT_END.split(_COMMENT_LINE.sub("", text))
        return [part.strip() for part in parts if part.strip()]

    def retention_rules(self) -> Iterator[RetentionRule]:
        """The tables of this file that have a retention."""
        for part in _STATEMENT_END.split(self.text):
            table, rule = _CREATED_TABLE.search(part), _RETENTION.search(part)
            if table and rule:
                yield RetentionRule(table[1], rule[1], rule[2] or "")


def without_replaced_views(statements: Sequence[str]) -> list[str]:
    """The statements but for views that a later one replaces before any other names them.

    Args:
        statements: of all migrations that are to be applied, in order.
    """
    kept: list[str] = []
    # Of each name, what the next statement does that has it: replace the view, or anything else.
    next_replaces: dict[str, bool] = {}
    for statement in reversed(statements):
        view = _REPLACED_VIEW.match(statement)
        if view and next_replaces.get(view[1], False):
            continue
        kept.append(statement)
        next_replaces |= dict.fromkeys(_WORD.findall(_TEXT.sub("", statement)), False)
        if view:
            next_replaces[view[1]] = True
    return kept[::-1]


def _ttl(found: re.Match[str], days: int | None) -> str:
    return "" if days is None else "TTL " + RetentionRule("", found[1], found[2] or "").clause(days)


def read_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations in their order; those of this package, unless a folder is given.

    Raises:
        ConfigurationError: a file is misnamed, a number is missing or used twice, or a fragment is missing.
    """
    folder = folder or files("sinks.clickhouse") / "migrations"
    found: list[Migration] = []
    fragments = _Fragments(folder / "fragments")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        name = _NAME.match(file.name)
        if name is None:
            raise ConfigurationError(f"migration {file.name}: the name must be four digits, `_`, a name and `.sql`")
        found.append(Migration(int(name[1]), name[2], fragments.filled_in(file.read_text("utf-8"), file.name)))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ConfigurationError("migrations must be numbered 0001, 0002, ... without gaps or repeats")
    return tuple(found)


class _Fragments:
    """The fragments of a folder, each with those that it includes in place; read once."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def filled_in(self, text: str, migration: str) -> str:
        return _INCLUDE.sub(lambda found: self._fragment(found[1], migration), text)

    def _fragment(self, name: str, migration: str) -> str:
        if name not in self._known:
            try:
                text = (self._folder / f"{name}.sql").read_text("utf-8")
            except FileNotFoundError:
                raise ConfigurationError(f"migration {migration}: there is no fragment {name}.sql") from None
            self._known[name] = self.filled_in(_COMMENT_LINE.sub("", text).rstrip("\n"), migration)
        return self._known[name]
