"""What a literal says: numbers, truth values, strings, and tuples and lists of them."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.tree import Node

_NAMED = {"True": True, "False": False, "None": None}


def integer(node: Node) -> int | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer):
        return -node.expression.evaluated_value
    return None


def literal(node: Node | None) -> object:
    """The value that an expression spells out; `...` for one that does not (and for no expression at all)."""
    if isinstance(node, (cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString, cst.ConcatenatedString)):
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
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) and isinstance(node.evaluated_value, str):
        return node.evaluated_value
    return None
