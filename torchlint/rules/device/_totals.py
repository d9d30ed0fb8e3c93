"""Totals that are fed by a wait in every iteration, `total += x.item()`, and could as well be added up on the device.

Only a local name that starts as a number right before the loop, is only added to in it, and is left alone there otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint.facts.modules import LOSS_MODULES
from torchlint.facts.tensors import LOSS_FUNCTIONS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Loop
from torchlint.syntax.tree import Node


@dataclass
class RunningTotal:
    """`total += x.item()`: what would have to change for the total to stay on the device until the loop is over."""

    name: cst.Name
    tensor: cst.BaseExpression
    """`x`."""
    is_count: bool
    """Whole numbers are added; otherwise floating-point ones."""


def running_total(file: FileAnalysis, node: cst.BaseExpression, loop: Loop) -> RunningTotal | None:
    """The total that a wait is added to at once; None where it is none that could stay on the device until the loop is over."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or node.func.attr.value != "item":
        return None
    update, name = _update(file, node)
    if update is None or name is None or next(file.tree.loops(update), None) is not loop:
        return None
    if not _starts_as_number(file, name, loop) or not _only_added_to(file, name, update, loop) or _returns(file, loop):
        return None
    tensor = node.func.value
    count = _is_count(tensor)
    return RunningTotal(name, tensor, count) if count or _is_loss(file, tensor) else None


def _update(file: FileAnalysis, node: Node) -> tuple[Node | None, cst.Name | None]:
    """The statement that adds the value, perhaps weighted, to a plain variable."""
    parent = file.parent(node)
    while isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Multiply):
        node, parent = parent, file.parent(parent)
    if isinstance(parent, cst.AugAssign) and isinstance(parent.operator, cst.AddAssign) and parent.value is node:
        return (parent, parent.target) if isinstance(parent.target, cst.Name) else (None, None)
    if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Add) and parent.right is node:
        assign = file.parent(parent)
        if (
            isinstance(assign, cst.Assign)
            and len(assign.targets) == 1
            and isinstance(assign.targets[0].target, cst.Name)
            and isinstance(parent.left, cst.Name)
        ):
            name = assign.targets[0].target
            return (assign, name) if name.value == parent.left.value else (None, None)
    return None, None


def _starts_as_number(file: FileAnalysis, name: cst.Name, loop: Node) -> bool:
    """Whether the total is set to a number right before the loop, in the block that the loop stands in (or around a `with`)."""
    scope = file.names.scope(name).lookup(name.value)
    if scope is None or scope.node is not file.function(loop):
        return False
    outside = [
        binding for binding in scope.bindings[name.value] if not file.is_inside(binding.node, loop) and file.is_after(loop, binding.node)
    ]
    if len(outside) != 1:
        return False
    first = outside[0]
    holder = file.parent(file.statement(first.node))
    around = list(file.ancestors(loop))
    outer_loops = {each for each in around if isinstance(each, (cst.For, cst.While))}
    same_iteration = outer_loops == {each for each in file.ancestors(first.node) if isinstance(each, (cst.For, cst.While))}
    return holder in around and same_iteration and _assigned_number(file, first.node)


def _assigned_number(file: FileAnalysis, name: Node) -> bool:
    target = file.parent(name)
    if isinstance(target, cst.AssignTarget):
        assign = file.parent(target)
        return isinstance(assign, cst.Assign) and isinstance(assign.value, (cst.Integer, cst.Float))
    if isinstance(target, cst.Element):  # total, correct = 0.0, 0
        display = file.parent(target)
        holder = file.parent(display) if display is not None else None
        assign = file.parent(holder) if holder is not None else None
        if (
            isinstance(display, cst.Tuple)
            and isinstance(assign, cst.Assign)
            and isinstance(assign.value, cst.Tuple)
            and len(display.elements) == len(assign.value.elements)
        ):
            position = next(index for index, each in enumerate(display.elements) if each is target)
            return isinstance(assign.value.elements[position].value, (cst.Integer, cst.Float))
    return False


def _only_added_to(file: FileAnalysis, name: cst.Name, update: Node, loop: Node) -> bool:
    return all(file.is_inside(each, update) for each in file.tree.within(file.references(name), loop))


def _returns(file: FileAnalysis, loop: Node) -> bool:
    return bool(file.inside(loop, cst.Return) or file.inside(loop, cst.Yield))


def _is_count(node: Node) -> bool:
    """`(a == b).sum()`, `a.eq(b).sum()`: whole numbers, and int64 on the device."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or node.func.attr.value != "sum" or node.args:
        return False
    inner = node.func.value
    return (
        isinstance(inner, cst.Comparison)
        or isinstance(inner, cst.Call)
        and isinstance(inner.func, cst.Attribute)
        and inner.func.attr.value in ("eq", "ne", "gt", "lt", "ge", "le")
    )


def _is_loss(file: FileAnalysis, node: Node) -> bool:
    value = file.value(node)
    if value.has_graph or value.roots:
        return True
    made = value.node
    if not isinstance(made, cst.Call):
        return False
    path = file.qualname(made.func)
    if path is not None:
        return path in LOSS_FUNCTIONS
    return (file.value(made.func).qualname or "") in LOSS_MODULES
