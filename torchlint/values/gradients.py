"""What the text says of `.grad`: whether an expression is a gradient or a part of one, and what a write leaves of it."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from torchlint.syntax.file import SourceFile
from torchlint.syntax.literals import literal, spelled_out
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Graph, Kind, Value


def is_gradient(node: Node | None) -> bool:
    """Whether an expression leads to a `.grad` or into one: `p.grad`, `p.grad.data[0]`, `p.grad.detach()`."""
    while node is not None:
        if isinstance(node, cst.Attribute):
            if node.attr.value == "grad":
                return True
            node = node.value
        elif isinstance(node, cst.Subscript):
            node = node.value
        elif isinstance(node, cst.Call):
            node = node.func
        else:
            return False
    return False


def holds_gradient(values: Iterable[Value]) -> bool:
    """Whether one of the values is a gradient, or holds some, as `[p.grad for p in …]` does."""
    return any(isinstance(each.node, cst.Attribute) and each.node.attr.value == "grad" for value in values for each in value.lineage())


def is_written(file: SourceFile, target: Node, before: Value, aliases: frozenset[str]) -> bool:
    """Whether a change in place of a value changes gradients: those it was read from, or those that were made of it."""
    if not file.tree.attributes.get("grad"):
        return False
    names_one = isinstance(target, cst.Name) and target.value in aliases
    return names_one or is_gradient(target) or holds_gradient([before])


def is_zero(node: Node | None) -> bool:
    return isinstance(node, (cst.Integer, cst.Float)) and spelled_out(node.value) == 0


def is_only_changed(file: SourceFile, target: cst.Attribute) -> bool:
    """Whether a new `p.grad` still has the old one in it: `p.grad /= n`, `p.grad = p.grad.clamp(…)`."""
    statement = file.statement(target)
    for row in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        if isinstance(row, cst.AugAssign) and row.target is target:
            return not (isinstance(row.operator, cst.MultiplyAssign) and is_zero(row.value))
        if isinstance(row, cst.Assign) and any(each.target is target for each in row.targets):
            return any(isinstance(each, cst.Attribute) and each.deep_equals(target) for each in descendants(row.value))
    return False


def aliases(file: SourceFile) -> frozenset[str]:
    """The names of what the file makes gradients of, so that a write there is one into gradients: `p.grad = flat[a:b].view_as(p)`."""
    found: set[str] = set()
    for each in file.tree.attributes.get("grad", ()):
        statement = file.parent(file.parent(each) or each)
        if isinstance(statement, cst.Assign) and any(row.target is each for row in statement.targets):
            found.update(str(name.value) for name in descendants(statement.value) if isinstance(name, cst.Name) and name.value != "None")
    return frozenset(found)


def switched(loop: cst.For) -> tuple[Node | None, bool]:
    """The module of which a loop over all parameters does nothing but set `requires_grad`, and whether they take gradients afterwards."""
    over = loop.iter.func if isinstance(loop.iter, cst.Call) and not loop.iter.args else None
    lines = [row for line in loop.body.body for row in (line.body if isinstance(line, cst.SimpleStatementLine) else (line,))]
    if not isinstance(over, cst.Attribute) or over.attr.value not in ("parameters", "named_parameters") or len(lines) != 1:
        return None, True
    row, wants = lines[0], cst.Name("True")
    target: Node | None = None
    if isinstance(row, cst.Assign):
        target, wanted = row.targets[0].target, row.value
    elif isinstance(row, cst.Expr) and isinstance(row.value, cst.Call):
        target, wanted = row.value.func, next((arg.value for arg in row.value.args), wants)
    if not isinstance(target, cst.Attribute) or target.attr.value not in ("requires_grad", "requires_grad_"):
        return None, True
    return over.value, literal(wanted) is not False


def require(value: Value, wanted: object) -> None:
    """`x.requires_grad_(wanted)`, `x.requires_grad = wanted`: the tensor takes gradients, or takes none; `...` if it depends."""
    if wanted is False:
        value.graph = Graph.NO
    elif value.is_tensor and wanted is True:
        value.leaf = value.leaf or value.graph is not Graph.YES
        value.graph = Graph.YES
    elif value.is_tensor and value.graph is Graph.NO:
        value.graph = Graph.MAYBE


def leaf(node: Node) -> Node:
    """The tensor itself: `w` in `w.data`."""
    while isinstance(node, cst.Attribute) and node.attr.value == "data":
        node = node.value
    return node


def follows(root: Node, expressions: Iterable[Node]) -> bool:
    """Whether one of the expressions holds the gradient of that very tensor: `lr * w.grad`."""
    return any(
        isinstance(each, cst.Attribute) and each.attr.value == "grad" and leaf(each.value).deep_equals(root)
        for expression in expressions
        for each in descendants(expression)
    )


def descent(statement: Node) -> tuple[Node, Node] | None:
    """The tensor and its change in `w -= change`, `w.data = w - change`, `w.add_(change)`, `w.copy_(w - change)`; None for others."""
    if isinstance(statement, cst.AugAssign):
        return leaf(statement.target), statement.value
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        return _difference(leaf(statement.targets[0].target), statement.value)
    if isinstance(statement, cst.Call) and isinstance(statement.func, cst.Attribute) and statement.args:
        root, given = leaf(statement.func.value), statement.args[0].value
        if statement.func.attr.value == "copy_":
            return _difference(root, given)
        return (root, given) if statement.func.attr.value in ("add_", "sub_") else None
    return None


def _difference(root: Node, value: Node) -> tuple[Node, Node] | None:
    if (
        isinstance(value, cst.BinaryOperation)
        and isinstance(value.operator, (cst.Add, cst.Subtract))
        and leaf(value.left).deep_equals(root)
    ):
        return root, value.right
    return None


def factors(root: Node, change: Node) -> list[Node] | None:
    """What the gradient of a tensor is scaled by, where a change is nothing but that: `lr * w.grad / n`."""
    if isinstance(change, cst.UnaryOperation):
        return factors(root, change.expression)
    if isinstance(change, cst.Call) and isinstance(change.func, cst.Attribute) and change.func.attr.value == "detach" and not change.args:
        return factors(root, change.func.value)
    if isinstance(change, cst.Attribute):
        change = leaf(change)
        is_own = isinstance(change, cst.Attribute) and change.attr.value == "grad" and leaf(change.value).deep_equals(root)
        return [] if is_own else None
    if not isinstance(change, cst.BinaryOperation) or not isinstance(change.operator, (cst.Multiply, cst.Divide)):
        return None
    sides = [(change.left, change.right)]
    if isinstance(change.operator, cst.Multiply):
        sides.append((change.right, change.left))
    for gradient, factor in sides:
        others = factors(root, gradient)
        if others is not None:
            return [*others, factor]
    return None


def fills(target: Node, value: Value) -> bool:
    """Whether an assignment to a part sets a gradient to a number: `p.grad[...] = 0`."""
    return value.kind is Kind.NUMBER and is_gradient(target)
