"""Where a value that may be None is certain to be there: behind a test for it, or behind a use that None would not survive.

Reads the statements before a place, and the conditions around it. That a value may be None at all is the flow model's to say.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.syntax.tree import Node, descendants
from torchlint.values.flow import Analysis

_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def is_present(file: Analysis, name: cst.Name) -> bool:
    """Whether None cannot reach this use of a name, whatever it held before."""
    statement = file.statement(name)
    for around in file.ancestors(statement):
        if isinstance(around, (cst.IndentedBlock, cst.Module)):
            for earlier in _backwards(around, statement):
                if _proves(earlier, name.value):
                    return True
                if any(isinstance(each, cst.Name) and each.value == name.value and _is_bound(file, each) for each in descendants(earlier)):
                    return False
        elif isinstance(around, cst.If):
            in_body = file.is_inside(statement, around.body)
            if in_body and _holds(around.test, name.value, True) or not in_body and _holds(around.test, name.value, False):
                return True
        elif isinstance(around, (cst.For, cst.While, cst.FunctionDef, cst.Lambda)):
            return False  # what comes before a loop says nothing about its later iterations
        if isinstance(around, cst.BaseCompoundStatement):
            statement = around
    return False


def _backwards(block: cst.IndentedBlock | cst.Module, statement: Node) -> Iterator[Node]:
    rows = list(block.body)
    place = next((number for number, row in enumerate(rows) if row is statement), 0)
    return reversed(rows[:place])


def _proves(statement: Node, name: str) -> bool:
    """Whether control gets past this statement only where the name is not None."""
    if isinstance(statement, cst.If):
        last = statement.body.body[-1] if statement.body.body else None
        last = last.body[-1] if isinstance(last, cst.SimpleStatementLine) and last.body else last
        return statement.orelse is None and isinstance(last, _LEAVING) and _holds(statement.test, name, False)
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    for small in statement.body:
        if isinstance(small, cst.Assert) and _holds(small.test, name, True):
            return True
        if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and _starts_at(small.value, name):
            return True
    return False


def _starts_at(node: Node, name: str) -> bool:
    """`loss.backward()`, `loss.mean().backward()`"""
    depth = 0
    while isinstance(node, (cst.Call, cst.Attribute)):
        node, depth = (node.func, depth) if isinstance(node, cst.Call) else (node.value, depth + 1)
    return depth > 0 and isinstance(node, cst.Name) and node.value == name


def _holds(test: Node, name: str, outcome: bool) -> bool:
    """Whether this outcome of a test means that the name is not None."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _holds(test.expression, name, not outcome)
    if isinstance(test, cst.BooleanOperation):
        decides = isinstance(test.operator, cst.And) if outcome else isinstance(test.operator, cst.Or)
        return decides and (_holds(test.left, name, outcome) or _holds(test.right, name, outcome))
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        compared = test.comparisons[0]
        wanted = cst.IsNot if outcome else cst.Is
        return _is(test.left, name) and isinstance(compared.operator, wanted) and _is(compared.comparator, "None")
    return outcome and (_is(test, name) or isinstance(test, cst.Call) and _is_instance(test, name))


def _is_instance(test: cst.Call, name: str) -> bool:
    return _is(test.func, "isinstance") and bool(test.args) and _is(test.args[0].value, name)


def _is(node: Node, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _is_bound(file: Analysis, name: cst.Name) -> bool:
    return any(binding.node is name for binding in file.names.bindings(name))
