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
