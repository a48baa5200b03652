"""What this project ships, as the oracle takes it."""

from __future__ import annotations

from schemas.categories import builtin_categories
from sinks.clickhouse.rules import ContactRule
from tests.support.copresence_oracle import OracleRule

CATEGORIES = {
    name: (category.default_stay_minutes, category.max_stay_minutes) for name, category in builtin_categories().items()
}
"""Default and longest minutes of a stay, by category."""


def oracle_rule(rule: ContactRule) -> OracleRule:
    """A rule in the oracle's words."""
    return OracleRule(
        place=rule.place,
        by_carriage=rule.by_carriage,
        seat_rows=rule.seat_rows,
        instant=rule.overlap == "instant",
        min_minutes=rule.min_minutes,
        strict=rule.strict,
        sum_over=rule.sum_over,
        tail_minutes=int(rule.indirect_tail.strip("min(stay;)") or 0),
    )
