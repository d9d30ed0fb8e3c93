"""Cells that are to be filled in: what an exercise leaves open is no Python on purpose, and filled in it would be.

A mistake beside the gaps stays one: the filled cell must be Python as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

_FILLING = "_"
_ITEMS = "*_,"
"""What else may stand on a row that is all gap: as many more items as are asked for of what the row lies in."""
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
_ROW = re.compile(r"([ \t]*)(.*?)([ \t]*(?:#.*)?\r?)")


def fillings(source: str) -> Iterator[str]:
    """The cell with something in each gap, in the ways that come to mind; none where it has no gap."""
    rows = source.split("\n")
    for items in (_FILLING, _ITEMS):
        changed = "\n".join(_with_blocks([_filled(row, items) for row in rows]))
        if changed != source:
            yield changed


def _filled(row: str, items: str) -> str:
    alone = _ROW.fullmatch(row)
    return f"{alone[1]}{items}{alone[3]}" if alone and _OPEN.fullmatch(alone[2]) else _OPEN.sub(_FILLING, row)


def _with_blocks(rows: list[str]) -> list[str]:
    for place, row in enumerate(rows):
        header = _HEADER.fullmatch(row)
        if header is not None and _is_left_open(rows[place + 1 :], header["blanks"]):
            rows[place] = f"{header['blanks']}{header['code']} {_FILLING}{header['rest']}"
    return rows


def _is_left_open(rows: list[str], blanks: str) -> bool:
    """Whether nothing but a comment stands where the block would, or dots that are not indented, or the cell is over."""
    between = list(takewhile(_BLANK.fullmatch, rows))
    after = rows[len(between)] if len(between) < len(rows) else None
    if after is None:
        return True
    says_so = any(map(str.strip, between)) or after.strip() == "..."
    return says_so and len(after) - len(after.lstrip()) <= len(blanks)
