"""ClickHouse SQL cut into tokens: just enough to find clauses without being misled by strings and comments.

Works on bytes, because what follows an INSERT's statement may be binary data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "quoted", "string", "other"]

# The lexical rules are those of ClickHouse's src/Parsers/Lexer.cpp. A string, quoted name, comment or here-document
# without its end matches up to the end of the text and is marked as open.
_TOKEN = re.compile(
    rb"""
    (?P<space>[\s\0]+ | --[^\n]* | \#[ !][^\n]* | /\*(?:.*?\*/|(?P<open_comment>.*)))
    | (?P<heredoc>\$(?P<tag>[A-Za-z0-9_]*)\$(?:.*?\$(?P=tag)\$|(?P<open_heredoc>.*)))
    | (?P<word>[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff$]*)
    | (?P<string>'(?:[^'\\]++|\\.|'')*+(?:'|(?P<open_string>\\?\Z)))
    | (?P<quoted>"(?:[^"\\]++|\\.|"")*+(?:"|(?P<open_double>\\?\Z)) | `(?:[^`\\]++|\\.|``)*+(?:`|(?P<open_back>\\?\Z)))
    | (?P<other>[0-9][0-9A-Za-z_.]* | .)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN = ("open_comment", "open_heredoc", "open_string", "open_double", "open_back")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: where it is, how many brackets it is inside of, and, for a word, its upper-case text."""

    kind: Kind
    begin: int
    end: int
    depth: int
    text: str
    closed: bool = True


def tokens(sql: bytes, begin: int = 0) -> Iterator[Token]:
    """The tokens of `sql` from `begin` on, without blanks and comments.

    `depth` counts all three kinds of brackets; an opening bracket has the depth outside of it, a closing one too.
    """
    depth = 0
    for match in _TOKEN.finditer(sql, begin):
        closed = not any(match[name] is not None for name in _OPEN)
        if match["space"] is not None:
            if not closed:
                yield Token("other", match.start(), match.end(), depth, "/*", closed=False)
            continue
        raw = match[0]
        if match["word"] is not None:
            yield Token("word", match.start(), match.end(), depth, raw.decode("utf-8", "replace").upper())
        elif match["string"] is not None or match["heredoc"] is not None:
            yield Token("string", match.start(), match.end(), depth, "", closed)
        elif match["quoted"] is not None:
            yield Token("quoted", match.start(), match.end(), depth, "", closed)
        else:
            text = raw.decode("latin-1")
            if text in ")]}":
                depth = max(0, depth - 1)
            yield Token("other", match.start(), match.end(), depth, text)
            if text in "([{":
                depth += 1
