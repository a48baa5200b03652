"""A process that inserts visits at a rate, as the sink does: those of the days after the city's, made just now."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from infra.bench.contacts.city import DAYS, City, Visits
from infra.bench.contacts.engines.clickhouse import insert_rows
from infra.bench.contacts.rows import PARTITIONS, RowMaker
from schemas.categories import builtin_categories
from sinks.clickhouse.target import ClickHouseTarget


def main() -> None:
    """Insert until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--database", required=True)
    for name in ("port", "visits", "seed", "last-day-ms", "rate", "first-offset"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    client = ClickHouseTarget(host=given.host, port=given.port, database=given.database).client()
    city = City(given.visits, given.seed, given.last_day_ms)
    minutes = {name: entry.default_stay_minutes for name, entry in builtin_categories().items()}
    rows = RowMaker(city, minutes, first_offset=given.first_offset // PARTITIONS + 1)
    due = time.monotonic()
    for visits in _pieces(city, given.rate):
        for table in rows.tables(_made_just_now(visits)):
            insert_rows(client, table)
        due += len(visits) / given.rate
        time.sleep(max(0.0, due - time.monotonic()))


def _pieces(city: City, size: int) -> Iterator[Visits]:
    """Visits of the days after the city's last."""
    for day in count(DAYS):
        visits = city.day(day, 0)
        for begin in range(0, len(visits), size):
            yield visits.part(begin, begin + size)


def _made_just_now(visits: Visits) -> Visits:
    """The same, evenly over the last second: what was made earlier than a few minutes ago would count as late."""
    now_ms = int(time.time() * 1000)
    return replace(visits, at_ms=np.linspace(now_ms - 1000, now_ms, len(visits)).astype(np.int64))


def command(target: ClickHouseTarget, **numbers: Any) -> list[str]:
    """Arguments of the process, after the interpreter; numbers by the names of its options."""
    argv = ["-m", "infra.bench.contacts.writer", "--host", target.host, "--port", str(target.port)]
    argv += ["--database", target.database]
    for name, value in numbers.items():
        argv += [f"--{name.replace('_', '-')}", str(value)]
    return argv


if __name__ == "__main__":
    main()
