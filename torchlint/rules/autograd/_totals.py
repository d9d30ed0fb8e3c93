"""Running totals: `total += x`, `total = total + x`, moving averages, wherever the total outlives the iteration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd._lifetimes import mentions, outlived_loop, same
from torchlint.rules.autograd._retention import Kept, carries
from torchlint.syntax.tree import Node
from torchlint.values.value import Value


@dataclass
class Accumulation(Kept):
    """`target += value`, or an assignment that adds to what the target held."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.node) or self.flow.values.get(self.target) or Value()

    @property
    def adds_tensors(self) -> bool:
        """Whether adding to it is what tensors and numbers do, and not a method of the project's own."""
        before = self.flow.values.get(self.target)
        return before is None or before.cls is None

    @cached_property
    def carrier(self) -> cst.BaseExpression:
        """The part of what is added that brings the graph: in a moving average the value without its weight."""
        node = self.value
        while (
            isinstance(self.node, cst.Assign)
            and isinstance(node, cst.BinaryOperation)
            and isinstance(node.operator, (cst.Multiply, cst.Divide))
        ):
            carrying = [side for side in (node.left, node.right) if side in self.flow.values and self.flow.values[side].has_graph]
            if len(carrying) != 1:
                break
            node = carrying[0]
        return node


def accumulations(file: FileAnalysis) -> Iterator[Accumulation]:
    """What adds a value with a graph to a total that outlives the iteration."""
    for update in file.nodes(cst.AugAssign):
        if isinstance(update.operator, (cst.AddAssign, cst.SubtractAssign)) and not isinstance(
            update.value, (cst.Integer, cst.Float, cst.List, cst.SimpleString, cst.FormattedString)
        ):
            loop = outlived_loop(file, update, update.target) if carries(file, update.value) else None
            if loop is not None:
                yield Accumulation(file, update, update.target, update.value, loop)
    for assign in file.nodes(cst.Assign):
        target = assign.targets[0].target
        if (
            len(assign.targets) != 1
            or not isinstance(assign.value, cst.BinaryOperation)
            or not isinstance(target, (cst.Name, cst.Attribute, cst.Subscript))
        ):
            continue
        value = added(assign.value, target)
        if value is None:
            continue
        loop = outlived_loop(file, assign, target) if carries(file, value) else None
        if loop is not None:
            yield Accumulation(file, assign, target, value, loop)


def added(node: cst.BaseExpression, target: Node) -> cst.BaseExpression | None:
    """In `total + x` or `0.9 * total + 0.1 * x`: what is added."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, (cst.Add, cst.Subtract)):
        return None
    left, right = mentions(node.left, target), mentions(node.right, target)
    if left == right:
        return None
    added = node.right if left else node.left
    carried = node.left if left else node.right
    if not _is_carried(carried, target):
        return None
    return added


def _is_carried(node: Node, target: Node) -> bool:
    """`total`, `0.9 * total`, or a sum that holds one of them: no call in between that could end the graph."""
    if isinstance(node, cst.BinaryOperation):
        return _is_carried(node.left, target) or _is_carried(node.right, target)
    return same(node, target) or isinstance(node, cst.Subscript) and isinstance(target, cst.Subscript) and node.deep_equals(target)
