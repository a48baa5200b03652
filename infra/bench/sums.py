"""The exact sums at the end of a run: every offset of the scans is in both orders, once."""

from __future__ import annotations

from infra.bench.rounds import tell
from schemas.errors import FatalError
from sinks.clickhouse.target import ClickHouseTarget

_STATEMENT = (
    "SELECT source_partition, count(), min(source_offset), max(source_offset), sum(source_offset) FROM {view} "
    "GROUP BY source_partition"
)


def check_sums(target: ClickHouseTarget, sent: int) -> None:
    """Hold the views against what was sent.

    Per partition there must be as many visits as offsets from 0 to the last, and the offsets must add up to what these
    add up to: a visit that is missing cannot be made up for by one that is there twice.

    Raises:
        FatalError: they differ; says how.
    """
    tell("  comparing what was sent with what is stored")
    client = target.client(timeout=600)
    try:
        for view in ("all_visits", "all_visits_by_place"):
            rows = client.query(_STATEMENT.format(view=view)).result_rows
            stored = sum(count for _, count, *_ in rows)
            if stored != sent:
                raise FatalError(f"{sent:,} scans were sent and {view} shows {stored:,}")
            for partition, count, first, last, total in rows:
                if first != 0 or count != last + 1 or total != last * (last + 1) // 2:
                    raise FatalError(f"{view} does not have every offset of partition {partition} once")
    finally:
        client.close()
