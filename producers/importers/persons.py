"""Whose row it is: a token that the file has, or one made of the person's id on the way."""

from __future__ import annotations

from collections.abc import Callable

from producers.importers.columns import Columns, required_text
from producers.importers.row import Row
from schemas.errors import ConfigurationError

TokenOf = Callable[[str], str]
"""From a person id to a token."""


class Persons:
    """Finds the person of a row.

    Args:
        columns: of the file; a column `person_token` is taken as it is, a column `person` becomes a token.
        token_of: turns a person id into a token; None: no key was given.

    Raises:
        ConfigurationError: there is neither column, or there are person ids and no key.
    """

    def __init__(self, columns: Columns, token_of: TokenOf | None) -> None:
        index = columns.optional("person_token")
        self._token_of: TokenOf = str
        if index is None:
            index = columns.required("person", "person_id")
            if token_of is None:
                raise ConfigurationError(
                    "person ids must become tokens before they are sent: name the key with --token-key-file (add"
                    " --create-token-key to make one); a file that already has tokens names their column with"
                    " --person-token"
                )
            self._token_of = token_of
        self._index = index

    def token(self, row: Row) -> str:
        """The person's token.

        Raises:
            RowRejected: `missing_value`.
        """
        return self._token_of(required_text(row, self._index))
