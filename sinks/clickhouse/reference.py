"""Reference data: the published contact rules and the kinds of venue, loaded into their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

from clickhouse_connect.driver.client import Client

from schemas.categories import VenueCategory, builtin_categories
from schemas.errors import ConfigurationError
from sinks.clickhouse.few_rows import insert_rows
from sinks.clickhouse.rules import builtin_contact_rules, store_rules

LONGEST_STAY_MINUTES = 1440
"""No stay is longer; how far back the queries look for who was still there."""


def checked_categories(categories: Iterable[VenueCategory]) -> tuple[VenueCategory, ...]:
    """The categories, if the queries can answer for them.

    Raises:
        ConfigurationError: a longest stay exceeds `LONGEST_STAY_MINUTES`.
    """
    checked = tuple(categories)
    for entry in checked:
        if entry.max_stay_minutes > LONGEST_STAY_MINUTES:
            raise ConfigurationError(
                f"venue category {entry.category}: a longest stay of {entry.max_stay_minutes} min exceeds "
                f"{LONGEST_STAY_MINUTES}, which is as far as the queries look back"
            )
    return checked


def load_reference_data(client: Client) -> int:
    """Bring `venue_categories` to what this project ships, and add what it ships newly to `contact_rules`.

    Returns:
        The number of rows that were new or different.
    """
    categories = checked_categories(builtin_categories().values())
    return len(store_rules(client, builtin_contact_rules(), "shipped")) + _load_categories(client, categories)


def store_timezone(client: Client, zone: str) -> None:
    """Tell the queries in which time zone calendar days begin; an IANA name."""
    sql = "SELECT value FROM city_settings FINAL WHERE name = 'timezone'"
    if client.query(sql).result_rows != [(zone,)]:
        insert_rows(client, "city_settings", ["name", "value"], [["timezone", zone]])


def _load_categories(client: Client, rows: Sequence[VenueCategory]) -> int:
    columns = [field.name for field in fields(VenueCategory)]
    stored = {
        tuple(row) for row in client.query(f"SELECT {', '.join(columns)} FROM venue_categories FINAL").result_rows
    }
    changed = [astuple(row) for row in rows if astuple(row) not in stored]
    if changed:
        insert_rows(client, "venue_categories", columns, changed)
    return len(changed)
