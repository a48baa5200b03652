"""Finds the rows that ClickHouse cannot take in a batch that the decoder found good."""

from __future__ import annotations

from collections.abc import Callable

from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.fast import encode
from sinks.clickhouse.batch import Rows
from sinks.clickhouse.dead_letters import DeadLetterWriter
from sinks.clickhouse.routes import Route


class RowSifter:
    """Halves a batch until the bad rows stand alone; they become dead letters, and the others are inserted.

    The rows are written in this project's own form first: ClickHouse reads fewer spellings of a time than RFC 3339 has.
    Progress survives a failed attempt: what was inserted or set aside is not taken up again.

    Args:
        route: where the rows are to go.
        rows: a batch that ClickHouse refused.
        dead_letters: where bad rows go.
    """

    def __init__(self, route: Route, rows: Rows, dead_letters: DeadLetterWriter) -> None:
        self._route = route
        self._topic = rows.topic
        self._dead_letters = dead_letters
        self._left = [list(rows.records())]

    def insert_good_rows(self, insert: Callable[[bytes], None], is_bad_row: Callable[[ClickHouseError], bool]) -> None:
        """Insert what can be inserted.

        Args:
            insert: sends joined lines; raises what the server answers.
            is_bad_row: whether an error speaks of the rows, not of the server.

        Raises:
            ClickHouseError: the server failed; call again to go on.
        """
        while self._left:
            records = self._left[-1]
            lines = [encode(self._route.decoder.decode(value)) for value, _, _ in records]
            try:
                insert(b"\n".join(lines))
            except ClickHouseError as error:
                if not is_bad_row(error):
                    raise
                self._left.pop()
                if len(records) == 1:
                    value, partition, offset = records[0]
                    self._dead_letters.send(None, value, self._topic, partition, offset, "out_of_range")
                else:
                    middle = len(records) // 2
                    self._left += [records[middle:], records[:middle]]
            else:
                self._left.pop()
