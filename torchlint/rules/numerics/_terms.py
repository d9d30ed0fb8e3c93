"""Sums as they are written: `1 + a - b` is three terms, two added and one taken away. And the text of such a sum without one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal


class Term(NamedTuple):
    node: cst.BaseExpression
    is_added: bool

    @property
    def number(self) -> float | None:
        """What the term adds, if it is a number that is written out."""
        value = literal(self.node)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return float(value if self.is_added else -value)


def terms(node: cst.BaseExpression) -> list[Term]:
    """The terms of a sum from left to right, one in parentheses of its own as a whole; of anything else, the one that it is."""
    found: list[Term] = []
    whole = node
    while isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.Add, cst.Subtract)) and (node is whole or not node.lpar):
        found.append(Term(node.right, isinstance(node.operator, cst.Add)))
        node = node.left
    return [Term(node, True), *reversed(found)]


def sum_around(file: FileAnalysis, node: cst.BaseExpression) -> cst.BaseExpression:
    """The largest sum in which a node is a term, up to the nearest parentheses; the node itself where it is none."""
    inner, above = node, file.parent(node)
    while isinstance(above, cst.BinaryOperation) and isinstance(above.operator, (cst.Add, cst.Subtract)):
        if node is not inner and (node.lpar or above.right is node):
            break  # `a - (b + c)`: a sum of its own
        node, above = above, file.parent(above)
    return node


def without(found: list[Term], number: float) -> list[Term] | None:
    """The terms without the one that is this number; None if it is not there, or not the only number."""
    if [each.number for each in found if each.number is not None] != [number]:
        return None
    return [each for each in found if each.number is None]


def written(file: FileAnalysis, found: list[Term], instead: Mapping[cst.BaseExpression, str]) -> str:
    """The text of a sum of these terms, as the file writes them, or as another text for one of them says."""
    text = ""
    for each in found:
        sign = "+" if each.is_added else "-"
        text += f" {sign} " if text else sign.replace("+", "")
        start, end = file.positions.full_span(each.node)
        text += instead.get(each.node, file.text[start:end])
    return text
