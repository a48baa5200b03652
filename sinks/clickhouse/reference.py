"""Reference data: the published contact rules and the kinds of venue, loaded into their tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.categories import VenueCategory, builtin_categories
from schemas.errors import ConfigurationError

LONGEST_STAY_MINUTES = 1440
"""No stay is longer; how far back the queries look for who was still there."""

_CHOICES = {
    "place": {"venue", "venue_or_trip", "point", "cell_800m"},
    "overlap": {"interval", "instant"},
    "sum_over": {"single_meeting", "rolling_24h", "calendar_day"},
}
_PATTERNS = {
    "rule_id": re.compile(r"[a-z][a-z0-9_]{0,63}"),
    "lookback_days": re.compile(r"\d{1,3}|from_first_meeting"),
    "lookahead_days": re.compile(r"\d{1,3}|until_isolated"),
    "indirect_tail": re.compile(r"\d{1,4}|min\(stay;\d{1,4}\)"),
}


@dataclass(frozen=True, slots=True)
class ContactRule:
    """One published definition of a contact; the fields are the columns of `contact_rules`."""

    rule_id: str
    name_zh: str
    name_en: str
    place: str
    overlap: str
    min_minutes: int
    sum_over: str
    lookback_days: str
    lookahead_days: str
    indirect_tail: str
    extra: str
    source_note: str


def read_contact_rules(lines: Iterable[str]) -> tuple[ContactRule, ...]:
    """Contact rules from CSV.

    Raises:
        ConfigurationError: a column is missing, a value is not one a rule can have, or an id occurs twice; names both.
    """
    rules: dict[str, ContactRule] = {}
    for row in csv.DictReader(lines):
        name = row.get("rule_id") or "?"
        missing = [field.name for field in fields(ContactRule) if row.get(field.name) is None]
        if missing:
            raise ConfigurationError(f"contact rule {name}: no value for {', '.join(missing)}")
        for column, choices in _CHOICES.items():
            if row[column] not in choices:
                raise ConfigurationError(f"contact rule {name}: {column} must be one of {', '.join(sorted(choices))}")
        for column, pattern in _PATTERNS.items():
            if not pattern.fullmatch(row[column]):
                raise ConfigurationError(f"contact rule {name}: {column} cannot be {row[column]!r}")
        if not re.fullmatch(r"\d{1,5}", row["min_minutes"]):
            raise ConfigurationError(f"contact rule {name}: min_minutes must be a number of minutes")
        if name in rules:
            raise ConfigurationError(f"contact rule {name} occurs twice")
        values: dict[str, Any] = {field.name: row[field.name] for field in fields(ContactRule)}
        rules[name] = ContactRule(**{**values, "min_minutes": int(row["min_minutes"])})
    return tuple(rules.values())


def builtin_contact_rules() -> tuple[ContactRule, ...]:
    """The rules this project ships (`sinks/clickhouse/data/contact_rules.csv`)."""
    path = files("sinks.clickhouse") / "data" / "contact_rules.csv"
    return read_contact_rules(path.read_text("utf-8").splitlines())


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
    """Bring `contact_rules` and `venue_categories` to what this project ships; rows of others stay.

    Returns:
        The number of rows that were new or different.
    """
    categories = checked_categories(builtin_categories().values())
    return _load(client, "contact_rules", ContactRule, builtin_contact_rules()) + _load(
        client, "venue_categories", VenueCategory, categories
    )


def _load(client: Client, table: str, kind: type[Any], rows: Sequence[Any]) -> int:
    columns = [field.name for field in fields(kind)]
    stored = {tuple(row) for row in client.query(f"SELECT {', '.join(columns)} FROM {table} FINAL").result_rows}
    changed = [list(astuple(row)) for row in rows if astuple(row) not in stored]
    if changed:
        client.insert(table, changed, column_names=columns)
    return len(changed)
