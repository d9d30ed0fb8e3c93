"""What a literal says: numbers, truth values, strings, and tuples and lists of them."""

from __future__ import annotations

import ast
from functools import lru_cache

import libcst as cst

from torchlint.syntax.tree import Node

_QUOTES = ("'", '"')
_LONG_QUOTES = ("'''", '"""')
_NAMED = {"True": True, "False": False, "None": None}


@lru_cache(maxsize=4096)
def spelled_out(spelling: str) -> object:
    """What a single literal says. Python's parser, and only where a string is not just what stands between its quotes, is asked once."""
    if spelling[0] in _QUOTES and "\\" not in spelling and "\r" not in spelling:
        quotes = 3 if spelling[:3] in _LONG_QUOTES else 1
        return spelling[quotes:-quotes]
    value: object = ast.literal_eval(spelling)
    return value


def integer(node: Node) -> int | None:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer):
        value = integer(node.expression)
        return -value if value is not None else None
    found = spelled_out(node.value) if isinstance(node, cst.Integer) else None
    return found if isinstance(found, int) else None


def literal(node: Node | None) -> object:
    """The value that an expression spells out; `...` for one that does not (and for no expression at all)."""
    if isinstance(node, (cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString)):
        return spelled_out(node.value)
    if isinstance(node, cst.ConcatenatedString):
        value: object = node.evaluated_value
        return ... if value is None else value
    if isinstance(node, cst.Name):
        return _NAMED.get(node.value, ...)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, (cst.Minus, cst.Plus)):
        inner = literal(node.expression)
        if isinstance(inner, (int, float, complex)) and not isinstance(inner, bool):
            return -inner if isinstance(node.operator, cst.Minus) else inner
    if isinstance(node, (cst.Tuple, cst.List)):
        parts = [literal(each.value) if isinstance(each, cst.Element) else ... for each in node.elements]
        if not any(each is ... for each in parts):
            return tuple(parts) if isinstance(node, cst.Tuple) else parts
    return ...


def text(node: Node) -> str | None:
    """The string that a literal spells out."""
    value = literal(node) if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) else None
    return value if isinstance(value, str) else None
