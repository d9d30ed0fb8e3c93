"""Rows of a text: where they begin and end, what they are indented by. Nothing here knows syntax."""

from __future__ import annotations

import re

_ROW_END = re.compile(r"[\r\n]|\Z")
_INDENT = re.compile(r"[ \t\f]*")


def row_start(text: str, offset: int) -> int:
    """Where the row of this character begins."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def row_end(text: str, offset: int) -> int:
    """Where the row of this character ends, before its newline."""
    found = _ROW_END.search(text, offset)
    return found.start() if found else len(text)


def next_row(text: str, offset: int) -> int:
    """Where the row after that of this character begins; the end of the text if there is none."""
    end = row_end(text, offset)
    return end + (2 if text.startswith("\r\n", end) else 1 if end < len(text) else 0)


def indent(text: str, offset: int) -> str | None:
    """The blanks before this character if nothing else stands before it on its row."""
    blanks = text[row_start(text, offset) : offset]
    return blanks if _INDENT.fullmatch(blanks) else None
