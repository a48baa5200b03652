"""Settling stays: working out once where they end, so that questions need not (docs/decisions/0015-settled-stays.md).

A settlement looks at every scan that was stored before it began and made before its `until`, and writes the stays whose
end is new or different. Scans that are stored more than five minutes after they were made count as late: ClickHouse
keeps whose they are (`late_scans`), and the next settlement works out all stays of these people anew. So nothing that
was stored before a settlement is left out of it, and what is stored later waits for the next.

To settle again, or twice at once, does no harm: a stay is a row with the identity of its scan, and the row of the later
settlement counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import instant, plain_errors, rows
from sinks.clickhouse.few_rows import insert_rows
from sinks.clickhouse.under_way import wait_for_inserts

LATE_AFTER: Final = timedelta(minutes=5)
"""What `visits_to_late` (migration `settled_stays`) counts as late: `until` is at least so long ago."""
_ROWS_AT_ONCE: Final = 4_000_000
_NOTHING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_MIXED: Final = 0
"""Instead of the hash of all categories' minutes: stays may be of these or of others."""
_SETTINGS: Final = {
    "max_execution_time": 0,
    "optimize_aggregation_in_order": 1,
    "max_partitions_per_insert_block": 0,
    "min_insert_block_size_rows": 2_000_000,
    "min_insert_block_size_bytes": 0,
    "async_insert": 0,
}
_COLUMNS: Final = (
    "person_token, place_key, scanned_at, venue_id, point_id, vehicle, run, carriage, seat, category, late, "
    "source_topic, source_partition, source_offset, default_minutes, dwell, stay_ms"
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Settled:
    """What is settled.

    Attributes:
        until: scans made before it are.
        began_at: of those that were stored before it.
        number: of the last settlement; 0 where there was none.
        late_people: people with scans stored late since then; many in one insert count as one.
    """

    until: datetime
    began_at: datetime
    number: int
    late_people: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """One settlement; `stays` is how many were written."""

    number: int
    until: datetime
    began_at: datetime
    stays: int


def settled(client: Client) -> Settled:
    """Until when stays are settled.

    Raises:
        As `sinks.clickhouse.asking.ask`.
    """
    found = rows(client, "SELECT until, began_at, number, late_people FROM settled_until", {})[0]
    return Settled(_aware(found[0]), _aware(found[1]), int(found[2]), int(found[3]))


def settle(client: Client, until: datetime | None = None, progress: Progress = lambda done, of: None) -> Settlement:
    """Settle what was made before `until`, five minutes ago where none is given or it is later.

    Args:
        client: connected to the database of the tables, without a limit of time.
        until: aware.
        progress: told how many of how many steps are done.

    Raises:
        FatalError: an insert that was under way does not end.
        As `sinks.clickhouse.asking.ask`.
    """
    before = settled(client)
    now = _aware(rows(client, "SELECT now64(3, 'UTC')", {})[0][0])
    with plain_errors():
        wait_for_inserts(client)
    until = max(before.until, min(until or now, now - LATE_AFTER))
    categories, known = _categories(client)
    everybody, somebody = _late(client, before.began_at, now)
    changed_from = min(before.until, everybody) if known else _NOTHING
    number = before.number + 1
    if before.number and not known:
        # Were this one cut off and the minutes changed back, its stays would pass for those of the settlement before.
        _note(client, number, before.began_at, before.until, _MIXED, 0)
        number += 1
    parts = list(_parts(client, changed_from, until))
    for done, (first, last) in enumerate(parts):
        progress(done, len(parts) + 1)
        asked = {
            "first_token": first,
            "last_token": last,
            "changed_from": instant(max(changed_from, _EARLIEST)),
            "until": instant(until),
        }
        _write(client, "stays_to_settle", asked, number)
    progress(len(parts), len(parts) + 1)
    if somebody and changed_from != _NOTHING:
        stored = {"stored_from": instant(before.began_at), "stored_until": instant(now)}
        _write(client, "late_stays_to_settle", {**stored, "until": instant(until)}, number)
    progress(len(parts) + 1, len(parts) + 1)
    count = "SELECT count() FROM settled_stays WHERE settlement = {number:UInt32}"
    written = int(rows(client, count, {"number": number})[0][0])
    _note(client, number, now, until, categories, written)
    return Settlement(number, until, now, written)


def _note(client: Client, number: int, began_at: datetime, until: datetime, categories: int, stays: int) -> None:
    with plain_errors():
        insert_rows(
            client,
            "settlements",
            ["number", "began_at", "until", "categories", "stays"],
            [[number, began_at, until, categories, stays]],
        )


def _categories(client: Client) -> tuple[int, bool]:
    """A hash of the minutes of all categories, and whether the last settlement went by the same."""
    now, then, any_yet = rows(
        client,
        "SELECT (SELECT groupBitXor(cityHash64(category, default_stay_minutes, max_stay_minutes)) "
        "FROM venue_categories FINAL), argMax(categories, number), count() FROM settlements",
        {},
    )[0]
    return int(now), bool(any_yet) and int(now) == int(then)


def _late(client: Client, stored_from: datetime, stored_until: datetime) -> tuple[datetime, bool]:
    """From when on everybody must be settled again, and whether there are people who must be."""
    where = "stored_at >= {stored_from:DateTime64(3, 'UTC')} AND stored_at < {stored_until:DateTime64(3, 'UTC')}"
    everybody, many, people = rows(
        client,
        "WITH has(people, toFixedString('', 16)) AS many_at_once "
        "SELECT minIf(scanned_at, many_at_once), countIf(many_at_once), countIf(NOT many_at_once AND notEmpty(people)) "
        f"FROM late_scans WHERE {where}",
        {"stored_from": instant(stored_from), "stored_until": instant(stored_until)},
    )[0]
    return (_aware(everybody) - timedelta(hours=24) if many else datetime.max.replace(tzinfo=UTC)), bool(people)


def _parts(client: Client, changed_from: datetime, until: datetime) -> Iterator[tuple[str, str]]:
    """First and last person of parts of about `_ROWS_AT_ONCE` rows; tokens are even, for they are hashes."""
    count = rows(
        client,
        "SELECT count() FROM visits WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24) "
        "AND scanned_at < {until:DateTime64(3, 'UTC')}",
        {"since": instant(max(changed_from, _EARLIEST)), "until": instant(until)},
    )[0][0]
    number = min(math.ceil(int(count) / _ROWS_AT_ONCE), 1 << 16)
    for part in range(number):
        begin, end = ((1 << 128) * border // number for border in (part, part + 1))
        yield f"{begin:032x}", f"{end - 1:032x}"


def _write(client: Client, view: str, arguments: dict[str, str], number: int) -> None:
    called = ", ".join(f"{name} = {{{name}:String}}" for name in arguments)
    with plain_errors():
        client.command(
            f"INSERT INTO settled_input ({_COLUMNS}, settlement) "
            f"SELECT {_COLUMNS}, {{settlement:UInt32}} FROM {view}({called})",
            parameters={**arguments, "settlement": number},
            settings=_SETTINGS,
        )


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
