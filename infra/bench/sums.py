"""The exact sums at the end of a run: every offset of the scans that are kept is in both orders, once."""

from __future__ import annotations

from infra.bench.rounds import tell
from schemas.errors import FatalError
from sinks.clickhouse.target import ClickHouseTarget

_STATEMENT = (
    "SELECT source_partition, count(), min(source_offset), max(source_offset), sum(source_offset) FROM {view} "
    "WHERE scanned_at >= now64(3) - INTERVAL {{kept_s:UInt32}} SECOND GROUP BY source_partition"
)
_EVER_S = 10 * 365 * 86_400


def check_sums(target: ClickHouseTarget, sent: int, kept_s: float | None = None) -> None:
    """Hold the views against what was sent.

    Per partition there must be as many visits as offsets from the first to the last, and the offsets must add up to
    what these add up to: a visit that is missing cannot be made up for by one that is there twice. The last offsets
    say how many were sent, and the first is 0, but where older ones expire.

    Args:
        target: ClickHouse.
        sent: scans, of which each was stored.
        kept_s: seconds that visits are kept, so that only younger ones are looked at; null: all are there.

    Raises:
        FatalError: they differ; says how.
    """
    tell("  comparing what was sent with what is stored")
    client = target.client(timeout=600)
    try:
        for view in ("all_visits", "all_visits_by_place"):
            asked = {"kept_s": round(_EVER_S if kept_s is None else kept_s)}
            rows = client.query(_STATEMENT.format(view=view), parameters=asked).result_rows
            stored = sum(last + 1 for _, _, _, last, _ in rows)
            if stored != sent:
                raise FatalError(f"{sent:,} scans were sent and {view} knows of {stored:,}")
            for partition, count, first, last, total in rows:
                whole = count == last - first + 1 and total == (first + last) * count // 2
                if not whole or (first != 0 and kept_s is None):
                    raise FatalError(f"{view} does not have every offset of partition {partition} once")
    finally:
        client.close()
