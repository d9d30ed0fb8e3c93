"""What a literal says: whole numbers, truth values, strings."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.tree import Node


def integer(node: Node) -> int | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer):
        return -node.expression.evaluated_value
    return None
