"""How many people an answer would name, before anybody is named (docs/decisions/0014-size-before-action.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.asking import called, rows

_ROUNDS: Final = 3
"""How often a size is asked for at most; the second look is nearly always enough."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people an answer would name, without naming anybody.

    Attributes:
        people: the estimate.
        at_least, at_most: two standard deviations to either side; both `people` where everybody was looked at.
        share: of all people, how many were looked at; 1: the number is exact.
    """

    people: int
    at_least: int
    at_most: int
    share: float

    @property
    def exact(self) -> bool:
        """Whether nothing was estimated."""
        return self.share >= 1


def ask_size(client: Client, view: str, arguments: Mapping[str, str]) -> Size:
    """Ask a view for an estimate, and again with the share it names while that is not close enough."""
    given = dict(arguments)
    for _ in range(_ROUNDS):
        # A view with parameters is called also where none of them is given.
        sql = f"SELECT people, at_least, at_most, share, next_share FROM {called(view, given, always=True)}"
        ((*found, next_share),) = rows(client, sql, given)
        if next_share is None:
            break
        given["share"] = f"{next_share:.9f}"
    return Size(*found)
