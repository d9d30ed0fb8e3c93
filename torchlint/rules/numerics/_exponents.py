"""Exponents that do not grow, as far as their form tells: nothing of them overflows."""

from __future__ import annotations

import libcst as cst


def is_bounded(exponent: cst.BaseExpression) -> bool:
    """`-x.abs()`, which is never above 0; `scale * (x - margin)`, as similarities are measured; one number that a module learns."""
    if isinstance(exponent, cst.UnaryOperation) and isinstance(exponent.operator, cst.Minus):
        return _is_size(exponent.expression) or is_bounded(exponent.expression)
    if isinstance(exponent, cst.BinaryOperation) and isinstance(exponent.operator, cst.Multiply):
        return _is_from_margin(exponent.left) or _is_from_margin(exponent.right)
    return _is_own(exponent)


def _is_size(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Call):
        return False
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else node.func.value if isinstance(node.func, cst.Name) else ""
    return name in ("abs", "absolute")


def _is_from_margin(node: cst.BaseExpression) -> bool:
    """`x - 0.5`, `x - self.margin`"""
    return (
        isinstance(node, cst.BinaryOperation)
        and isinstance(node.operator, cst.Subtract)
        and (isinstance(node.right, (cst.Float, cst.Integer)) or _is_own(node.right))
    )


def _is_own(node: cst.BaseExpression) -> bool:
    """`self.log_scale`"""
    return isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self"
