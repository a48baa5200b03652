"""A request's SQL, sorted by the way it is run, and rewritten so that data streams through a pipe.

The engine is embedded: it has no HTTP body to read from or write to, but it reads and writes files. So

- `INSERT INTO t FORMAT X` + data becomes `INSERT INTO t FROM INFILE '/dev/fd/N' FORMAT X`,
- `INSERT INTO t SELECT ... FROM input('a T') FORMAT X` + data becomes `... FROM file('/dev/fd/N', 'X', 'a T')`,
- `SELECT ... FORMAT X` becomes `SELECT ... INTO OUTFILE '/dev/fd/N' APPEND FORMAT X`,

and everything else runs as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from infra.embedded.clickhouse.errors import SYNTAX_ERROR, UNKNOWN_TYPE_OF_QUERY, UNSUPPORTED_METHOD, ServerError
from infra.embedded.clickhouse.sqltext import Token, tokens

_WITH_RESULT = frozenset({"SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "KILL"})
_DATA_BLANKS = b" \t\f"


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
class Select:
    """A query whose result may be large."""

    format: str
    before: bytes
    after: bytes

    def sql(self, path: str) -> bytes:
        """The query that appends its result to the file `path`."""
        return self.before + f"\nINTO OUTFILE '{path}' APPEND FORMAT {self.format}\n".encode() + self.after


@dataclass(frozen=True, slots=True)
class Plain:
    """A statement that runs as it is.

    Attributes:
        format: of its result; None when it is one that gives none.
        changes_session: it changes settings or the current database (SET, USE).
    """

    text: bytes
    format: str | None
    changes_session: bool = False


Statement = Insert | Select | Plain


def parse(text: bytes, *, complete: bool, default_format: str | None) -> Statement | None:
    """Sort a statement.

    Args:
        text: the request's text, or as much of it as has come.
        complete: nothing follows.
        default_format: of results and rows when the text names none.

    Returns:
        The statement; None when more of the text is needed.

    Raises:
        ServerError: several statements, or one that reads or writes a file of the server by itself.
    """
    first = next((token for token in tokens(text) if token.text != "("), None)
    if first is None or (not complete and first.end == len(text)):
        return Plain(text, None) if complete else None
    if first.text == "INSERT":
        return _parse_insert(text, complete, default_format)
    if not complete:
        return None
    found = _single_statement(text)
    if first.text == "SELECT" or (first.text == "WITH" and not _holds_insert(found)):
        return _select(text, found, default_format or "TabSeparated")
    output = _trailing_format(text, found)
    _refuse_outfile(found)
    if first.text == "KILL":
        text = _kill_by_own_ids(text, found)
    named = output[0] if output is not None else (default_format or "TabSeparated")
    changes_session = first.text in ("SET", "USE")
    return Plain(text, named if first.text in _WITH_RESULT else None, changes_session)


def _single_statement(text: bytes) -> list[Token]:
    """The tokens without a closing semicolon."""
    found = list(tokens(text))
    while found and found[-1].text == ";":
        found.pop()
    if any(token.text == ";" and token.depth == 0 for token in found):
        raise ServerError(SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed", "SYNTAX_ERROR")
    return found


def _holds_insert(found: Sequence[Token]) -> bool:
    return any(one.text == "INSERT" and one.depth == 0 and two.text == "INTO" for one, two in pairwise(found))


def _refuse_outfile(found: Sequence[Token]) -> None:
    for one, two in pairwise(found):
        if one.text == "INTO" and one.depth == 0 and two.text == "OUTFILE":
            raise ServerError(UNSUPPORTED_METHOD, "INTO OUTFILE is not allowed", "UNSUPPORTED_METHOD")


def _trailing_format(text: bytes, found: Sequence[Token]) -> tuple[str, int] | None:
    """The name in a FORMAT clause at the end (SETTINGS may follow), and the index of the word FORMAT."""
    for index in range(len(found) - 2, -1, -1):
        token, name = found[index], found[index + 1]
        if token.text == "FORMAT" and token.depth == 0 and name.kind == "word":
            rest = found[index + 2 :]
            if not rest or rest[0].text == "SETTINGS":
                return text[name.begin : name.end].decode(), index
            return None
    return None


def _select(text: bytes, found: Sequence[Token], default_format: str) -> Select:
    _refuse_outfile(found)
    output = _trailing_format(text, found)
    end = found[-1].end
    if output is None:
        return Select(default_format, text[:end], b"")
    name, index = output
    return Select(name, text[: found[index].begin], text[found[index + 1].end : end])


def _kill_by_own_ids(text: bytes, found: Sequence[Token]) -> bytes:
    """Let KILL QUERY find a request by its id: the engine gives ids of its own, ours stand in `log_comment`."""
    for token in reversed(found):
        if token.text == "QUERY_ID":
            text = text[: token.begin] + b"Settings['log_comment']" + text[token.end :]
    return text


def _parse_insert(text: bytes, complete: bool, default_format: str | None) -> Statement | None:
    """Find where the rows of an INSERT begin (ClickHouse's src/Parsers/ParserInsertQuery.cpp)."""
    clause: int | None = None
    source: Token | None = None
    previous: Token | None = None
    is_select = False
    past_target = False
    for token in tokens(text):
        if not complete and (token.end == len(text) or not token.closed):
            return None
        if token.depth == 0 and token.kind == "word" and past_target:
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
                    return _insert_with_format(text, token, name, clause, source if is_select else None, is_select)
        if token.text == "SELECT" and token.depth > 0 and past_target:
            is_select = True
        if token.text == "(" and previous is not None and previous.text == "INPUT" and is_select:
            source = previous
        # The name of the table comes after INTO [TABLE] [FUNCTION]; a table may be called like a clause.
        past_target = past_target or (previous is not None and previous.text not in ("INSERT", "INTO", "TABLE", "."))
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
) -> Statement:
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
