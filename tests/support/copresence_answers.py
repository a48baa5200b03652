"""Answers of the views in the oracle's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sinks.clickhouse import queries
from sinks.clickhouse.dwell import Dwell
from tests.support import copresence_oracle as oracle
from tests.support.visit_rows import instant, milliseconds


def as_oracle(contact: queries.Contact) -> oracle.OracleContact:
    """A contact as the oracle names it; times in milliseconds."""
    return oracle.OracleContact(
        contact.overlap_s,
        contact.counted_s,
        contact.direct_s,
        milliseconds(contact.first_meeting),
        milliseconds(contact.last_meeting),
        contact.meetings,
        bool(contact.indirect),
        tuple(contact.venues),
        tuple(contact.person_dwells),
        tuple(contact.contact_dwells),
        bool(contact.late),
    )


def contacts_of_many(
    client: Any, people: Sequence[str], span: tuple[int, int], rule_id: str, dwell: Dwell
) -> dict[str, dict[str, oracle.OracleContact]]:
    """The contacts of each of several people, by their tokens; nobody is left out who has none."""
    found: dict[str, dict[str, oracle.OracleContact]] = {person: {} for person in people}
    for row in queries.contacts_of_many(client, people, instant(span[0]), instant(span[1]), rule_id, dwell):
        found[row.person][row.contact] = as_oracle(row)
    return found
