"""What is put into a container after it was made: `append`, `layers[i] = …`, `+=`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis

STORING = frozenset("append appendleft add insert extend update setdefault".split())


def put_in(file: Analysis, node: Node) -> Iterator[cst.BaseExpression]:
    """What this appearance of the container puts into it."""
    above = file.parent(node)
    if isinstance(above, cst.AugAssign) and above.target is node:
        yield above.value
    elif isinstance(above, cst.Subscript) and above.value is node:
        target = file.parent(above)
        statement = file.parent(target) if isinstance(target, cst.AssignTarget) else None
        if isinstance(statement, cst.Assign):
            yield statement.value
    elif method_on(file, node) in STORING:
        call = file.parent(above) if above is not None else None
        if isinstance(call, cst.Call) and call.args:
            yield call.args[-1].value


def method_on(file: Analysis, node: Node) -> str | None:
    """The method that is called on an expression."""
    above = file.parent(node)
    if isinstance(above, cst.Attribute) and above.value is node:
        call = file.parent(above)
        if isinstance(call, cst.Call) and call.func is above:
            return above.attr.value
    return None


def spreads(file: Analysis, node: Node) -> bool:
    """Whether what this appearance puts in is a container itself, whose elements go in one by one."""
    above = file.parent(node)
    return isinstance(above, cst.AugAssign) and above.target is node or method_on(file, node) in ("extend", "update")
