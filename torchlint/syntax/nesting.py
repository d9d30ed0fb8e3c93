"""Whether a text is nested too deeply to be parsed without harm: Python refuses such code, and our parser would end the process."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings

BRACKETS = 200
"""Python's own limit."""
DEPTH = 1000
"""Levels of expressions and statements. Long before this, no person wrote the code."""
LONG = 2000
"""Characters of a row from which on it may hold a chain as deep as that."""

_BRACKET = re.compile(r"[()\[\]{}]")
_OPENING = frozenset("([{")


def too_deep(text: str) -> int | None:
    """The row at which nesting goes beyond what can be parsed, if it does. Costs next to nothing for ordinary code."""
    return _beyond_brackets(text) or _beyond_depth(text)


def _beyond_brackets(text: str) -> int | None:
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] in _OPENING else -1
        if depth > BRACKETS:
            return _confirmed(text)
    return None


def _confirmed(text: str) -> int | None:
    """The same with strings and comments told from code."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.OP and _BRACKET.fullmatch(token.string):
                depth += 1 if token.string in _OPENING else -1
                if depth > BRACKETS:
                    return token.start[0]
    except tokenize.TokenError as error:
        return int(error.args[1][0]) if "too many nested" in str(error.args[0]) else None
    except SyntaxError:
        return None  # for the parser to report
    return None


def _beyond_depth(text: str) -> int | None:
    rows = text.splitlines()
    longest = max(range(len(rows)), key=lambda index: len(rows[index]), default=0)
    if not rows or len(rows[longest]) < LONG:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of the checked code's escapes is not ours to print
            level: list[ast.AST] = [ast.parse(text)]
    except (RecursionError, MemoryError):
        return longest + 1
    except (SyntaxError, ValueError):
        return None  # for the parser to report
    for _ in range(DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return None
    return longest + 1
