"""Answers of the views in the oracle's words."""

from __future__ import annotations

from sinks.clickhouse import queries
from tests.support import copresence_oracle as oracle
from tests.support.visit_rows import milliseconds


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
