"""Contact rules: what a published definition of a contact says, read from a file, kept in versions.

A version is never changed and never taken back: whoever was named under a rule can be told what the rule said. Of a
rule the newest version an operator added is in force, else the newest this project shipped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from importlib.resources import files
from typing import Any, Literal

from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigurationError
from sinks.clickhouse.asking import ask
from sinks.clickhouse.few_rows import insert_rows

Origin = Literal["shipped", "operator"]

LONGEST_TAIL_MINUTES = 240
"""As far as the queries look for who came after a stay."""

_AT = "@"
_CHOICES = {
    "place": {"venue", "venue_or_trip", "point", "cell_800m"},
    "overlap": {"interval", "instant"},
    "sum_over": {"single_meeting", "rolling_24h", "calendar_day"},
    "strict": {"true", "false"},
    "by_carriage": {"true", "false"},
}
_PATTERNS = {
    "rule_id": re.compile(r"[a-z][a-z0-9_]{0,63}"),
    "min_minutes": re.compile(r"\d{1,5}"),
    "lookback_days": re.compile(r"\d{1,3}|from_first_meeting"),
    "lookahead_days": re.compile(r"\d{1,3}|until_isolated"),
    "indirect_tail": re.compile(r"0|min\(stay;\d{1,3}\)"),
    "seat_rows": re.compile(r"\d{0,2}"),
    "companion_hours": re.compile(r"\d{0,3}"),
    "companion_days": re.compile(r"\d{0,3}"),
}
_UNSAID = {"strict": "false", "by_carriage": "false", "seat_rows": "", "companion_hours": "", "companion_days": ""}
_UNSAID_ON_TRIPS = {**_UNSAID, "by_carriage": "true", "seat_rows": "3"}
"""What the columns are that the published file lacks."""


@dataclass(frozen=True, slots=True)
class ContactRule:
    """One definition of a contact; the fields are columns of `contact_rules`; docs/co-presence.md says what they do.

    Attributes:
        min_minutes: shortest time together; `strict`: more than that, not at least.
        lookback_days: number, or `from_first_meeting`.
        lookahead_days: number, or `until_isolated`.
        indirect_tail: `0`, or `min(stay;N)`: minutes after a stay in which a later arrival counts.
        seat_rows: known rows further apart do not meet; None: rows do not matter.
        companion_hours: either party is longer in the cell than this within `companion_days`; None: no such clause.
    """

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
    strict: bool
    by_carriage: bool
    seat_rows: int | None
    companion_hours: int | None
    companion_days: int | None


def read_contact_rules(lines: Iterable[str]) -> tuple[ContactRule, ...]:
    """Contact rules from CSV, with the columns of the published file, or with all of them.

    Raises:
        ConfigurationError: a column is missing, a value is not one a rule can have, or an id occurs twice; names both.
    """
    rules: dict[str, ContactRule] = {}
    for row in csv.DictReader(lines):
        unsaid = _UNSAID_ON_TRIPS if row.get("place") == "venue_or_trip" else _UNSAID
        rule = _rule({**unsaid, **{name: value for name, value in row.items() if value is not None}})
        if rule.rule_id in rules:
            raise ConfigurationError(f"contact rule {rule.rule_id} occurs twice")
        rules[rule.rule_id] = rule
    return tuple(rules.values())


def _rule(row: Mapping[str, str]) -> ContactRule:
    name = row.get("rule_id") or "?"
    missing = [field.name for field in fields(ContactRule) if field.name not in row]
    if missing:
        raise ConfigurationError(f"contact rule {name}: no value for {', '.join(missing)}")
    for column, choices in _CHOICES.items():
        if row[column] not in choices:
            raise ConfigurationError(f"contact rule {name}: {column} must be one of {', '.join(sorted(choices))}")
    for column, pattern in _PATTERNS.items():
        if not pattern.fullmatch(row[column]):
            raise ConfigurationError(f"contact rule {name}: {column} cannot be {row[column]!r}")
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(ContactRule)}
    values["min_minutes"] = int(row["min_minutes"])
    values |= {column: row[column] == "true" for column in ("strict", "by_carriage")}
    for column in ("seat_rows", "companion_hours", "companion_days"):
        values[column] = int(row[column]) if row[column] else None
    rule = ContactRule(**values)
    for wrong, message in _contradictions(rule):
        if wrong:
            raise ConfigurationError(f"contact rule {name}: {message}")
    return rule


def _contradictions(rule: ContactRule) -> Iterable[tuple[bool, str]]:
    """What single values cannot show."""
    trips = rule.place == "venue_or_trip"
    companions = (rule.companion_hours is None, rule.companion_days is None)
    yield rule.by_carriage and not trips, "by_carriage needs the place venue_or_trip"
    yield rule.seat_rows is not None and not rule.by_carriage, "seat_rows needs by_carriage"
    yield companions[0] != companions[1], "companion_hours and companion_days go together"
    yield not companions[0] and rule.place != "cell_800m", "companion_hours needs the place cell_800m"
    instant = rule.overlap == "instant"
    yield instant and rule.min_minutes > 0, "an instant has no minutes: min_minutes must be 0"
    longest = max(int(number) for number in re.findall(r"\d+", rule.indirect_tail))
    yield longest > LONGEST_TAIL_MINUTES, f"indirect_tail is at most {LONGEST_TAIL_MINUTES} minutes"
    yield instant and rule.indirect_tail != "0", "an instant leaves no tail: indirect_tail must be 0"


def builtin_contact_rules() -> tuple[ContactRule, ...]:
    """The rules this project ships (`sinks/clickhouse/data/contact_rules.csv`)."""
    path = files("sinks.clickhouse") / "data" / "contact_rules.csv"
    return read_contact_rules(path.read_text("utf-8").splitlines())


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A version of a rule as the views show it; times are minutes, hours and days as the names say."""

    rule_id: str
    version: int
    origin: str
    name_zh: str
    name_en: str
    place: str
    by_carriage: bool
    seat_rows: int | None
    overlap: str
    min_minutes: int
    strict: bool
    sum_over: str
    lookback_days: int | None
    from_first_meeting: bool
    lookahead_days: int | None
    tail_minutes: int
    companion_hours: int | None
    companion_days: int | None
    extra: str
    source_note: str


def versioned(rule_id: str, version: int) -> str:
    """The name under which views find a version of a rule, whatever is in force: `who@1`."""
    return f"{rule_id}{_AT}{version}"


def stored_rules(client: Client, every_version: bool = False) -> list[StoredRule]:
    """The rules in force, or all their versions, by id and version.

    Raises:
        RetryableError, ConfigurationError: as `sinks.clickhouse.asking.ask`.
    """
    view = "contact_rule_versions" if every_version else "all_contact_rules"
    return ask(client, StoredRule, view, {}, " ORDER BY rule_id, version")


def store_rules(client: Client, rules: Sequence[ContactRule], origin: Origin) -> list[tuple[str, int]]:
    """Add a version of every rule that differs from the newest of the same origin.

    Returns:
        Id and version of each that was added.
    """
    columns = [field.name for field in fields(ContactRule)]
    newest: dict[str, tuple[Any, ...]] = {}
    versions: dict[str, int] = {}
    query = (
        f"SELECT version, origin, {', '.join(columns)} FROM contact_rules FINAL "
        f"WHERE position(rule_id, '{_AT}') = 0 ORDER BY version"
    )
    for version, stored_origin, *values in client.query(query).result_rows:
        rule_id = values[0]
        versions[rule_id] = version
        if stored_origin == origin and version > 0:
            newest[rule_id] = tuple(values)
    added = [(rule, versions.get(rule.rule_id, 0) + 1) for rule in rules if newest.get(rule.rule_id) != astuple(rule)]
    if added:
        insert_rows(
            client,
            "contact_rules",
            ["version", "origin", *columns],
            (
                [version, origin, *astuple(named)]
                for rule, version in added
                for named in (rule, replace(rule, rule_id=versioned(rule.rule_id, version)))
            ),
        )
    return [(rule.rule_id, version) for rule, version in added]
