"""What must hold for a place to be reached: the answers on the way to its statement, early exits included, and those in its expression."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.events import Condition, answer


def when(file: FileAnalysis, node: Node) -> tuple[Condition, ...]:
    """Outermost first, within the function that evaluates the node. `()` also where the node is never reached."""
    flow = file.flow(file.function(node))
    inside: list[Condition] = []
    child = node
    for around in (node, *file.ancestors(node)):
        if around in flow.when or isinstance(around, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            return (*flow.when.get(around, ()), *reversed(inside))
        if isinstance(around, cst.IfExp) and child is not around.test:
            inside.append(answer(around.test, child is around.body, flow.values))
        elif isinstance(around, cst.BooleanOperation) and child is around.right:
            inside.append(answer(around.left, isinstance(around.operator, cst.And), flow.values))
        child = around
    return tuple(reversed(inside))


def exclude(file: FileAnalysis, one: Node, other: Node) -> bool:
    """Whether two places of a function are reached under opposite answers to one question: none that a loop around both asks anew."""
    shared = [each for each in file.tree.loops(one) if file.is_inside(other, each.body)]
    asked_once = [each for each in when(file, one) if not shared or not file.is_inside(each.test, shared[-1])]
    arms = {each.question: each.arm for each in asked_once}
    return any(arms.get(each.question, each.arm) != each.arm for each in when(file, other))
