"""Cells that are to be filled in: what an exercise leaves open is no Python on purpose, and filled in it would be.

A mistake beside the gaps stays one: the filled cell must be Python as a whole.
"""

from __future__ import annotations

import re
from itertools import takewhile

_FILLING = "_"
_OPEN = re.compile(
    r"""<[^<>\r\n]{1,200}>                   # `<YOUR CODE>`
    |\?{2,}|\.{4,}|\u2026+                 # `x = ???`
    |(?<=[^=!<>:]=)[ \t]*(?=\r?$|\#|[,)]) # `x = # TODO`, `f(size=)`""",
    re.VERBOSE | re.MULTILINE,
)
_HEADER = re.compile(
    r"""(?P<blanks>[ \t]*)
    (?P<code>(?:async|for|while|if|elif|else|with|def|class|try|except|finally)\b[^\r\n]*?:)
    (?P<rest>[ \t]*(?:\#[^\r\n]*)?)\r?""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?")


def filled(source: str) -> str | None:
    """The cell with something in each gap; None where it has none."""
    rows = _OPEN.sub(_FILLING, source).split("\n")
    for place, row in enumerate(rows):
        header = _HEADER.fullmatch(row)
        if header is not None and _is_left_open(rows[place + 1 :], header["blanks"]):
            rows[place] = f"{header['blanks']}{header['code']} {_FILLING}{header['rest']}"
    changed = "\n".join(rows)
    return changed if changed != source else None


def _is_left_open(rows: list[str], blanks: str) -> bool:
    """Whether nothing but a comment stands where the block would, or the cell is over."""
    between = list(takewhile(_BLANK.fullmatch, rows))
    after = rows[len(between)] if len(between) < len(rows) else None
    return after is None or any(map(str.strip, between)) and len(after) - len(after.lstrip()) <= len(blanks)
