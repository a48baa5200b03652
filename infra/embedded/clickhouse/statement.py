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

from infra.embedded.clickhouse.errors import SYNTAX_ERROR, UNSUPPORTED_METHOD, ServerError
from infra.embedded.clickhouse.insert import Insert, Plain, parse_insert
from infra.embedded.clickhouse.sqltext import Token, tokens

_WITH_RESULT = frozenset({"SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "KILL"})


@dataclass(frozen=True, slots=True)
class Select:
    """A query whose result may be large."""

    format: str
    before: bytes
    after: bytes

    def sql(self, path: str) -> bytes:
        """The query that appends its result to the file `path`."""
        return self.before + f"\nINTO OUTFILE '{path}' APPEND FORMAT {self.format}\n".encode() + self.after


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
    if not complete and (first is None or first.end == len(text)):
        return None
    if first is None:
        raise ServerError(SYNTAX_ERROR, "Syntax error: Empty query", "SYNTAX_ERROR")
    if first.text == "INSERT":
        return parse_insert(text, complete=complete, default_format=default_format)
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
    return Plain(text, named if first.text in _WITH_RESULT else None, changes_session, kills=first.text == "KILL")


def may_change(statement: Statement) -> bool:
    """Whether it may change more than the settings of its session."""
    if isinstance(statement, Plain):
        return not statement.changes_session and (statement.format is None or statement.kills)
    return isinstance(statement, Insert)


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
