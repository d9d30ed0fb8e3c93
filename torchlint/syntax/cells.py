"""A notebook's code as one text: between the cells stand rows that only this project writes, and in place of what is not Python, marks.

The rows and marks are valid Python and hold a character that no sensible source has, so they are found again after any edit. Which of
them stands for what is kept by `torchlint.sources.notebooks`; here is how they are told from code.
"""

from __future__ import annotations

import re

import libcst as cst

_SIGN = "\x01"
END = f'"{_SIGN}"'
"""The row that ends a cell: a statement of its own, so that no comment and no block reaches across it."""
_END_ROW = re.compile(rf"^{END}$\n?", re.MULTILINE)
_MARK = re.compile(rf'_ipython\("{_SIGN}(\d+)"\)|"{_SIGN}(\d+)";?|#{_SIGN}(\d+)')
_ANY = re.compile(rf"{_SIGN}\d*")


def may_be_in(text: str) -> bool:
    """Whether there can be rows or marks in a text."""
    return _SIGN in text


def statement_mark(number: int) -> str:
    """What stands for a statement that is not Python. A semicolon behind it belongs to it."""
    return f'"{_SIGN}{number}"'


def value_mark(number: int) -> str:
    """What stands for an expression that is not Python: a call of something unknown."""
    return f"_ipython({statement_mark(number)})"


def row_mark(number: int) -> str:
    """What stands for a whole row outside of any block."""
    return f"#{_SIGN}{number}"


def marks(text: str) -> list[tuple[int, int, int]]:
    """Start, end and number of each mark."""
    if _SIGN not in text:
        return []
    return [(match.start(), match.end(), int(match[1] or match[2] or match[3])) for match in _MARK.finditer(text)]


def order(text: str) -> list[str]:
    """All rows and marks in order: an edit that leaves this as it was has kept to one cell and to Python."""
    return _ANY.findall(text) if _SIGN in text else []


def is_touched(text: str, start: int, end: int) -> bool:
    """Whether something other than Python stands on the rows of these characters."""
    if _SIGN not in text:
        return False
    after = text.find("\n", end)
    return _SIGN in text[text.rfind("\n", 0, start) + 1 : after if after >= 0 else len(text)]


def split(text: str) -> list[str]:
    """The cells, each with the newline that the row at its end stands behind."""
    return _END_ROW.split(text)[:-1]


def is_end(statement: cst.CSTNode) -> bool:
    """Whether a statement is the row that ends a cell."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    first = statement.body[0]
    return isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString) and first.value.value == END
