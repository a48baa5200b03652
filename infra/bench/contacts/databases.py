"""Opens and fills the databases of a ground, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from infra.bench.contacts.city import City
from infra.bench.contacts.engines.base import Engine
from infra.bench.contacts.ground import Ground
from infra.bench.contacts.narrow import NarrowRows
from infra.bench.contacts.rows import RowMaker
from infra.bench.peers.installation import environment
from schemas.categories import builtin_categories
from schemas.errors import ConfigurationError

DUCK_MEMORY_GB: Final = 6
POSTGRES_MEMORY_MB: Final = 2048
_PIECE: Final = 500_000
Advance = Callable[[str, int], None]
"""Is told what is being loaded and how many visits more of it are."""


def use_libraries() -> None:
    """Make DuckDB's and PostgreSQL's clients importable: they live in an environment of their own.

    Raises:
        PeerUnavailableError: they cannot be installed.
    """
    python = environment("databases")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = str(python.parent.parent / "lib" / version / "site-packages")
    if packages not in sys.path:
        sys.path.append(packages)


def open_engine(name: str, place: Ground, advance: Advance) -> Engine:
    """A database with the city in it; filled when it is not yet.

    Args:
        name: one of `ground.ENGINES`.
        place: where it is.
        advance: told about the visits loaded.

    Raises:
        ConfigurationError: PostgreSQL's server is not installed, or DuckDB, which prepares its rows, is not loaded.
        PeerUnavailableError: a client cannot be installed.
    """
    return _clickhouse(place, advance) if name == "clickhouse" else _peer(name, place, advance)


def _clickhouse(place: Ground, advance: Advance) -> Engine:
    from infra.bench.contacts.engines.clickhouse import ClickHouse

    engine = ClickHouse.open(place.fresh("clickhouse"))
    try:
        if "clickhouse" not in place.loaded:
            city = place.city()
            rows = RowMaker(city, {name: entry.default_stay_minutes for name, entry in builtin_categories().items()})
            tables = (table for visits in city.days() for table in rows.tables(visits))
            place.mark("clickhouse", engine.load(_counted("ClickHouse", tables, advance), place.end_ms))
        return engine
    except BaseException:
        engine.close()
        raise


def _peer(name: str, place: Ground, advance: Advance) -> Engine:
    from infra.bench.contacts.engines.duck import Duck
    from infra.bench.contacts.engines.postgres import Postgres

    use_libraries()
    if name == "duckdb":
        duck = Duck.open(place.fresh(name), DUCK_MEMORY_GB)
        if name not in place.loaded:
            place.mark(name, duck.load(_counted("DuckDB", _narrow(place.city()), advance)))
        return duck
    if "duckdb" not in place.loaded:
        raise ConfigurationError("PostgreSQL is filled from DuckDB, which works out the ends of stays: ask for both")
    engine = Postgres.open(place.fresh(name), POSTGRES_MEMORY_MB)
    try:
        if name not in place.loaded:
            duck = Duck.open(place.folder / "duckdb", DUCK_MEMORY_GB)
            try:
                place.mark(name, engine.load(_counted("PostgreSQL", duck.scans(), advance)))
            finally:
                duck.close()
        return engine
    except BaseException:
        engine.close()
        raise


def _narrow(city: City) -> Iterator[Any]:
    minutes = {
        name: (entry.default_stay_minutes, entry.max_stay_minutes) for name, entry in builtin_categories().items()
    }
    rows = NarrowRows(city, minutes)
    for visits in city.days():
        for begin in range(0, len(visits), _PIECE):
            yield rows.table(visits.part(begin, begin + _PIECE))


def _counted(name: str, tables: Any, advance: Advance) -> Iterator[Any]:
    for table in tables:
        yield table
        advance(f"loading {name}", table.num_rows)
    advance(f"{name}: sorting and merging", 0)
