"""INSERT statements: where the statement ends and its rows begin."""

from __future__ import annotations

from dataclasses import dataclass

from infra.embedded.clickhouse.errors import UNKNOWN_TYPE_OF_QUERY, ServerError
from infra.embedded.clickhouse.sqltext import Token, tokens

_DATA_BLANKS = b" \t\f"
_BEFORE_TARGET = ("(", "INSERT", "INTO", "TABLE", "FUNCTION", ".")


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows follow the statement, or come as the rest of the body.

    Attributes:
        format: of the rows.
        data_at: where in the text the rows begin.
        before, after: the statement around the place where the source of the rows is named.
        is_input_function: the source is a table function's arguments, else an INFILE clause.
    """

    format: str
    data_at: int
    before: bytes
    after: bytes
    is_input_function: bool = False

    def sql(self, path: str) -> bytes:
        """The statement that reads its rows from the file `path`."""
        if self.is_input_function:
            return self.before + f"file('{path}', '{self.format}', ".encode() + self.after
        return self.before + f" FROM INFILE '{path}' ".encode() + self.after + f" FORMAT {self.format}".encode()


@dataclass(frozen=True, slots=True)
class Plain:
    """A statement that runs as it is.

    Attributes:
        format: of its result; None when it is one that gives none.
        changes_session: it changes settings or the current database (SET, USE).
        kills: it ends other statements.
    """

    text: bytes
    format: str | None
    changes_session: bool = False
    kills: bool = False


def parse_insert(text: bytes, *, complete: bool, default_format: str | None) -> Insert | Plain | None:
    """Find where the rows of an INSERT begin (ClickHouse's src/Parsers/ParserInsertQuery.cpp).

    See `statement.parse`.
    """
    clause: int | None = None
    source: Token | None = None
    previous: Token | None = None
    is_select = False
    past_target = False
    for token in tokens(text):
        if not complete and (token.end == len(text) or not token.closed):
            return None
        # The name of the table comes after INTO [TABLE] [FUNCTION]; a table may be called like a clause.
        past_target = past_target or (previous is not None and previous.text not in _BEFORE_TARGET)
        is_clause = past_target and (previous is None or previous.text != ".")
        if token.depth == 0 and token.kind == "word" and is_clause:
            if token.text in ("SELECT", "WITH"):
                is_select = True
            elif token.text == "SETTINGS" and not is_select:
                clause = token.begin if clause is None else clause
            elif token.text == "VALUES" and not is_select:
                return Insert(
                    "Values", token.end, text[: clause or token.begin], text[clause or token.begin : token.begin]
                )
            elif token.text == "FROM" and not is_select:
                raise ServerError(
                    UNKNOWN_TYPE_OF_QUERY, "FROM INFILE is not allowed: send the rows", "UNKNOWN_TYPE_OF_QUERY"
                )
            elif token.text == "FORMAT":
                name = next(tokens(text, token.end), None)
                if not complete and (name is None or name.end == len(text)):
                    return None
                if name is not None and name.kind == "word" and not _is_alias(previous, name):
                    if not complete and not text[name.end :].strip(_DATA_BLANKS + b"\r"):
                        return None
                    return _insert_with_format(text, token, name, clause, source if is_select else None, is_select)
        if token.text == "SELECT" and token.depth > 0 and past_target:
            is_select = True
        if token.text == "(" and previous is not None and previous.text == "INPUT" and is_select:
            source = previous
        previous = token
    if not complete:
        return None
    if is_select or default_format is None:
        return Plain(text, None)
    return Insert(default_format, len(text), text[: clause or len(text)], text[clause or len(text) :])


def _is_alias(previous: Token | None, name: Token) -> bool:
    return (previous is not None and previous.text in ("AS", ".", ",")) or name.text in ("FROM", "AS")


def _insert_with_format(
    text: bytes, clause_format: Token, name: Token, clause: int | None, source: Token | None, is_select: bool
) -> Insert | Plain:
    data_at = name.end
    while data_at < len(text) and text[data_at] in _DATA_BLANKS:
        data_at += 1
    if text[data_at : data_at + 1] == b"\r":
        data_at += 1
    if text[data_at : data_at + 1] == b"\n":
        data_at += 1
    format_name = text[name.begin : name.end].decode()
    if source is None:
        if is_select:
            return Plain(text[: clause_format.begin], None)
        at = clause or clause_format.begin
        return Insert(format_name, data_at, text[:at], text[at : clause_format.begin])
    opening = text.index(b"(", source.end)
    return Insert(
        format_name, data_at, text[: source.begin], text[opening + 1 : clause_format.begin], is_input_function=True
    )
