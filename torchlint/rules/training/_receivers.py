"""Whether what an optimizer is called at its step means the same optimizer where its gradients would be cleared, and can be said twice."""

from __future__ import annotations

import libcst as cst

from torchlint.edits import Applicability
from torchlint.model.training import TrainingLoop
from torchlint.rule import SAFE, UNSAFE
from torchlint.syntax.names import Binding, Binds
from torchlint.syntax.tree import Node


def level(loop: TrainingLoop, expression: Node, place: Node) -> Applicability | None:
    """How freely an expression may be said again at another place of the loop; None where it may act, or mean something else there.

    A name that is bound before on every way means the same, and so does a constant part of it. An attribute does where it is known
    to be no property.
    """
    if isinstance(expression, cst.Name):
        return SAFE if _is_bound_before(loop, expression, place) else None
    if isinstance(expression, cst.Attribute):
        held, own = level(loop, expression.value, place), _attribute(loop, expression)
        return min(held, own) if held is not None and own is not None else None
    if isinstance(expression, cst.Subscript) and len(expression.slice) == 1:
        index = expression.slice[0].slice
        if isinstance(index, cst.Index) and isinstance(index.value, (cst.Integer, cst.SimpleString)):
            return level(loop, expression.value, place)
    return None


def _attribute(loop: TrainingLoop, node: cst.Attribute) -> Applicability | None:
    """What is known of an attribute: safe where its class sets it, and nothing where it is a method of it or set in the loop."""
    file, name = loop.file, node.attr.value
    for each in file.tree.within(file.tree.attributes.get(name, ()), loop.node):
        above = file.parent(each)
        if isinstance(above, (cst.AssignTarget, cst.AugAssign, cst.AnnAssign)) and above.target is each:
            return None
    cls = file.value(node.value).cls
    if cls is None:
        return UNSAFE
    if cls.method(name) is not None:
        return None
    return SAFE if cls.assigns(name) else UNSAFE


def _is_bound_before(loop: TrainingLoop, name: cst.Name, place: Node) -> bool:
    """Whether the name holds at a place what it holds later in the iteration: the loop binds it earlier, on every way, or not at all."""
    order = loop.file.tree.order
    inside, outside = list[Binding](), list[Binding]()
    for each in loop.file.names.bindings(name):
        is_inside = each.how is not Binds.PARAMETER and loop.file.is_inside(each.node, loop.node)
        (inside if is_inside else outside).append(each)
    if any(order[each.node] > order[place] for each in inside):
        return False
    return bool(outside) or not inside or any(_governs(loop, each, place) for each in inside)


def _governs(loop: TrainingLoop, binding: Binding, place: Node) -> bool:
    """Whether whoever comes to a place has come past a binding: it stands in one of the blocks around it, or is a loop around it."""
    file = loop.file
    statement = file.statement(binding.node)
    if isinstance(statement, (cst.For, cst.With)):
        return file.is_inside(place, statement)
    block = file.parent(statement)
    return isinstance(statement, cst.SimpleStatementLine) and block is not None and file.is_inside(place, block)
