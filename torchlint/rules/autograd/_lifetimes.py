"""How long a total or container lives: which loop's iterations it outlives, and where it is started afresh or emptied."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.modules import MANAGED_STEPS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants, runs_once

_EMPTYING = frozenset("clear pop popleft popitem".split())


def rebinds(file: FileAnalysis, loop: Node, target: Node, *, before: Node | None = None) -> bool:
    """Whether the loop's body gives the target (or what it is part of) a new value, or empties it.

    `before`: in every iteration that comes to this node.
    """
    return any(before is None or not _is_conditional(file, each, loop, before) for each in renewals(file, loop, target))


def renewals(file: FileAnalysis, loop: Node, target: Node) -> Iterator[Node]:
    """Where the loop gives the target (or what it is part of) a new value, or empties it."""
    body: Node = loop.body  # type: ignore[attr-defined]
    current: Node = target
    while True:
        found: Iterator[Node] = iter(())
        above: Node | None = None
        if isinstance(current, cst.Name):
            bindings = file.names.bound(current)
            if isinstance(loop, cst.For):
                yield from file.tree.within(bindings, loop.target)
            emptied = (each for each in file.tree.within(file.references(current), body) if _is_emptied(file, each))
            found = iter([*(each for each in file.tree.within(bindings, body) if _is_rebinding(file, each)), *emptied])
        elif isinstance(current, cst.Attribute):
            others = (each for each in file.attributes_inside(body, current.attr.value) if same(each, current))
            found = (each for each in others if _is_bound(file, each) or _is_emptied(file, each))
            above = current.value
        elif isinstance(current, cst.Subscript):
            found = _assigned_subscripts(file, current, body)
            above = current.value
        elif isinstance(current, cst.Call) and isinstance(current.func, cst.Attribute):
            above = current.func.value
        yield from (each for each in found if file.is_inside(each, body) and not _is_beginning(file, each, current))
        if above is None:
            return
        current = above


def _is_beginning(file: FileAnalysis, bound: Node, target: Node) -> bool:
    """`if total is None: total = loss`: no new value where there is one."""
    inner = bound
    for each in file.ancestors(bound):
        if isinstance(each, cst.If):
            test = each.test
            asked = isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.Is) and same(test.left, target)
            return asked and inner is each.body and literal(test.comparisons[0].comparator) is None  # type: ignore[attr-defined]
        if isinstance(each, (cst.For, cst.While, cst.FunctionDef)):
            return False
        inner = each
    return False


def _is_conditional(file: FileAnalysis, node: Node, loop: Node, other: Node) -> bool:
    """Whether a condition in the loop decides about the node, and not about the other one as well."""
    inner = node
    for each in file.ancestors(node):
        if each is loop:
            return False
        if isinstance(each, (cst.If, cst.ExceptHandler)) and not file.is_inside(other, inner):
            return True
        inner = each
    return False


def _is_rebinding(file: FileAnalysis, bound: Node) -> bool:
    """Whether this binding replaces the value: `x += y` and `x = x + y` go on with it."""
    statement = file.parent(bound)
    if isinstance(statement, cst.AugAssign):
        return False
    if isinstance(statement, cst.AssignTarget):
        assign = file.parent(statement)
        return not (isinstance(assign, cst.Assign) and isinstance(bound, cst.Name) and mentions(assign.value, bound))
    return True


def _is_bound(file: FileAnalysis, attribute: Node) -> bool:
    above = file.parent(attribute)
    if isinstance(above, cst.AssignTarget):
        assign = file.parent(above)
        return isinstance(assign, cst.Assign) and not mentions(assign.value, attribute)
    return isinstance(above, cst.AnnAssign) and above.target is attribute


def _assigned_subscripts(file: FileAnalysis, target: cst.Subscript, body: Node) -> Iterator[cst.Subscript]:
    """Where `stats['loss']`, the very same key, is given a new value."""
    for other in file.inside(body, cst.Subscript):
        holder = file.parent(other)
        if other is not target and isinstance(holder, cst.AssignTarget) and other.deep_equals(target):
            assign = file.parent(holder)
            if isinstance(assign, cst.Assign) and not mentions(assign.value, other):
                yield other


def _is_emptied(file: FileAnalysis, node: Node) -> bool:
    above = file.parent(node)
    if isinstance(above, cst.Attribute) and above.attr.value in _EMPTYING:
        return isinstance(file.parent(above), cst.Call)
    if isinstance(above, cst.Subscript) and above.value is node:
        return isinstance(file.parent(above), cst.Del)
    return isinstance(above, cst.Del)


def same(a: Node, b: Node) -> bool:
    if isinstance(a, cst.Attribute) and isinstance(b, cst.Attribute):
        return a.attr.value == b.attr.value and same(a.value, b.value)
    return isinstance(a, cst.Name) and isinstance(b, cst.Name) and a.value == b.value


def mentions(node: Node, target: Node) -> bool:
    return any(
        same(each, target) or isinstance(each, cst.Subscript) and isinstance(target, cst.Subscript) and each.deep_equals(target)
        for each in descendants(node)
    )


def outlived_loop(file: FileAnalysis, node: Node, target: Node) -> Node | None:
    """The innermost loop whose iterations the target outlives, or the function that a caller or a trainer repeats."""
    for loop in file.tree.loops(node):
        if not rebinds(file, loop, target, before=node) and not runs_once(loop):
            return loop
    return _repeated_function(file, node, target)


def _repeated_function(file: FileAnalysis, node: Node, target: Node) -> Node | None:
    function = file.function(node)
    if not isinstance(function, cst.FunctionDef) or rebinds(file, function, target):
        return None
    owner = file.owner(function)
    if owner is not None and owner.is_managed and function.name.value in MANAGED_STEPS and not isinstance(target, cst.Name):
        return function
    for call in callers.mentions(file, function):
        for loop in file.tree.loops(call):
            if isinstance(target, cst.Name) or not rebinds(file, loop, target):
                return function
    return None
