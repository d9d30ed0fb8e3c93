"""Text that LibCST refuses although Python reads it, or once did: the same program in a spelling that LibCST knows.

Asked only for text that was refused, so that ordinary files pay nothing. Two things are respelled: blanks before a statement (form
feeds, tabs), and `async` and `await` where they are names, as in `x.cuda(async=True)` before Python 3.7. Names keep their length, so
that all but blanks stands in the same order and positions can be carried over.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator

_NAMES = {"async": "_sync", "await": "_wait"}
RESPELLED = frozenset(_NAMES.values())
_UNIT = "    "
_ROWS = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_BLANKS = re.compile(r"[ \t\f]*")
_SPACELESS = frozenset((tokenize.COMMENT, tokenize.NL))


def respelled(text: str) -> tuple[str, str] | None:
    """The text with other names where keywords were names, and the same with plain indentation; None if Python cannot read it so."""
    try:
        named = with_plain_names(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of the checked code's escapes is not ours to print
            ast.parse(named)
        return named, _with_plain_indents(named)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError):
        return None


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(re.sub(r"\r\n?", "\n", text)).readline)


def with_plain_names(text: str) -> str:
    """The text with other names where keywords were names. Raises what `tokenize` does for text that has no tokens."""
    if not any(name in text for name in _NAMES):
        return text
    rows = _ROWS.findall(text)
    tokens = [token for token in _tokens(text) if token.type not in _SPACELESS]
    for place, token in enumerate(tokens):
        if token.string in _NAMES and _is_name(tokens, place):
            row, column = token.start
            rows[row - 1] = rows[row - 1][:column] + _NAMES[token.string] + rows[row - 1][column + len(token.string) :]
    return "".join(rows)


def _is_name(tokens: list[tokenize.TokenInfo], place: int) -> bool:
    """Whether this `async` or `await` stands where only a name can."""
    before = tokens[place - 1].string if place else ""
    after = tokens[place + 1] if place + 1 < len(tokens) else tokens[place]
    if before in (".", "def", "class", "import", "as"):
        return True
    if tokens[place].string == "async":
        return after.string not in ("def", "for", "with")
    return after.type in (tokenize.NEWLINE, tokenize.ENDMARKER) or after.string in ("=", ",", ")", "]", "}", ":", ".", ";")


def _with_plain_indents(text: str) -> str:
    rows = _ROWS.findall(text)
    depth, begins = 0, True
    for token in _tokens(text):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            begins = True
        elif begins and token.type not in _SPACELESS and token.type != tokenize.ENDMARKER:
            begins = False
            row = rows[token.start[0] - 1]
            rows[token.start[0] - 1] = _BLANKS.sub(_UNIT * depth, row, count=1)
        elif begins and "\f" in rows[token.start[0] - 1]:  # a row of its own for a comment, or for nothing
            row = rows[token.start[0] - 1]
            rows[token.start[0] - 1] = _BLANKS.sub(lambda blanks: blanks[0].rpartition("\f")[2], row, count=1)
    return "".join(rows)


__all__ = ["RESPELLED", "respelled", "with_plain_names"]
