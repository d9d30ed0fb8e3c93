"""Whether a statement in a loop runs in every iteration, or only now and then.

A condition makes something rare only if it changes from one iteration to the next: `step % 100 == 0`. A flag, a rank, `is not None` or a
look at finiteness lets every iteration through, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Iteration, Loop, last_name
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants

_FINITE = frozenset("isfinite isnan isinf is_nan".split())
_ACCELERATOR = re.compile(r"cuda|gpu", re.IGNORECASE)
_RANK = re.compile(r"rank|main_process|master|primary|is_initialized")


def is_rare(file: FileAnalysis, node: Node, loop: Iteration) -> bool:
    """Whether only some iterations get there, or it ends the loop; what a function returns ends nothing where each iteration calls it."""
    child = node
    for each in file.ancestors(node):
        block = getattr(each, "body", ())
        if isinstance(block, (list, tuple)) and any(_skips(file, earlier, loop) for earlier in block[: _index(block, child)]):
            return True
        if each is loop:
            return False
        if isinstance(each, (cst.If, cst.IfExp)):
            if child is not each.test and not _goes_on(each, child) and not _is_constant(file, each.test, loop):
                return True
        elif isinstance(each, (cst.Try, cst.TryStar)):
            if child is not each.body:
                return True
        elif isinstance(each, (cst.Yield, cst.Raise, cst.ExceptHandler, cst.MatchCase)):
            return True
        elif isinstance(each, cst.Return) and not isinstance(loop, cst.FunctionDef):
            return True
        elif isinstance(each, cst.BooleanOperation) and child is each.right and not _is_constant(file, each.left, loop):
            return True
        child = each
    return False


def asks_for_accelerator(file: FileAnalysis, test: Node) -> bool:
    """`torch.cuda.is_available()`, `use_cuda`, `device.type == "cuda"`: whether a condition holds wherever there is a device."""
    if isinstance(test, cst.BooleanOperation):
        return isinstance(test.operator, cst.And) and all(asks_for_accelerator(file, each) for each in (test.left, test.right))
    if isinstance(test, cst.Comparison):
        compared = test.comparisons[0]
        return isinstance(compared.operator, cst.Equal) and _ACCELERATOR.search(str(literal(compared.comparator))) is not None
    if isinstance(test, cst.Call):
        return last_name(test.func) == "is_available"
    if not isinstance(test, (cst.Name, cst.Attribute)):
        return False
    made = file.value(test).node
    return _ACCELERATOR.search(last_name(test)) is not None or isinstance(made, cst.Call) and asks_for_accelerator(file, made)


def is_on_accelerator(file: FileAnalysis, suite: Node) -> bool:
    """Whether a branch is taken wherever there is a device to wait for."""
    branch = file.parent(suite)
    if isinstance(branch, cst.Else):
        above = file.parent(branch)
        test = above.test if isinstance(above, cst.If) else None
        return isinstance(test, cst.UnaryOperation) and asks_for_accelerator(file, test.expression)
    return isinstance(branch, cst.If) and asks_for_accelerator(file, branch.test)


def _index(block: list[Node] | tuple[Node, ...], child: Node) -> int:
    return next((index for index, each in enumerate(block) if each is child), 0)


def _skips(file: FileAnalysis, statement: Node, loop: Iteration) -> bool:
    """`if step % 100: continue`: what follows is for some iterations only."""
    leaves = cst.Return if isinstance(loop, cst.FunctionDef) else cst.Continue
    if not isinstance(statement, cst.If) or statement.orelse is not None or not _ends_in(statement.body, leaves):
        return False
    return any(isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Modulo) for each in descendants(statement.test)) or (
        _fills(statement.test)
    )


def _fills(test: Node) -> bool:
    """`len(memory) < size`: whether the loop gathers something first."""
    if not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Call) or last_name(test.left.func) != "len":
        return False
    compared = test.comparisons[0]
    return isinstance(compared.operator, (cst.LessThan, cst.LessThanEqual)) and not isinstance(compared.comparator, cst.Integer)


def _goes_on(branch: Node, child: Node) -> bool:
    """`if i < limit: … else: break`: whether the loop ends unless it gets to this branch."""
    if not isinstance(branch, cst.If) or child is not branch.body or not isinstance(branch.orelse, cst.Else):
        return False
    return _ends_in(branch.orelse.body, cst.Break)


def _ends_in(suite: cst.BaseSuite, *kinds: type[Node]) -> bool:
    last = suite.body[-1:]
    if not last:
        return False
    line = last[0]
    end = line.body[-1] if isinstance(line, cst.SimpleStatementLine) else line
    return isinstance(end, kinds)


def _is_constant(file: FileAnalysis, test: cst.BaseExpression, loop: Iteration) -> bool:
    """Whether a condition lets every iteration through, or none: it asks for a flag, a rank, a presence, a type, or finiteness."""
    if isinstance(test, cst.BooleanOperation):
        return _is_constant(file, test.left, loop) and _is_constant(file, test.right, loop)
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _is_constant(file, test.expression, loop)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        operator, other = test.comparisons[0].operator, test.comparisons[0].comparator
        if isinstance(operator, (cst.Is, cst.IsNot)):
            return True
        if _is_length(test.left) and isinstance(other, cst.Integer) and other.value == "0":
            return True  # whether there is anything
        compares = isinstance(operator, (cst.Equal, cst.NotEqual, cst.In, cst.NotIn)) and _is_literal(other)
        return compares and (_asks_for_rank(test.left) or _is_flag(file, test.left, loop))
    if isinstance(test, cst.Call):
        name = last_name(test.func)
        return name in _FINITE or name in ("isinstance", "hasattr", "len", "bool", "is_available") or _asks_for_rank(test)
    return _is_flag(file, test, loop)


def _is_length(node: Node) -> bool:
    return isinstance(node, cst.Call) and last_name(node.func) == "len"


def _asks_for_rank(test: Node) -> bool:
    return isinstance(test, cst.Call) and _RANK.search(last_name(test.func)) is not None


def _is_literal(node: Node) -> bool:
    if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        return all(_is_literal(each.value) for each in node.elements)
    return isinstance(node, (cst.Integer, cst.Float, cst.SimpleString, cst.UnaryOperation)) or last_name(node) in ("True", "False", "None")


def _is_flag(file: FileAnalysis, node: Node, loop: Iteration) -> bool:
    """A name or attribute that no iteration changes, and that is not there for debugging."""
    name = last_name(node)
    if not name or "debug" in name.lower():
        return False
    if isinstance(node, cst.Name):
        changing = (use for use in file.references(node) if not _is_finiteness(file, use))
        return all(not isinstance(file.parent(use), cst.AugAssign) and next(_loops_that_bind(file, use), None) is None for use in changing)
    if isinstance(node, cst.Attribute):
        return not any(
            isinstance(above := file.parent(each), (cst.AugAssign, cst.AssignTarget))
            and (isinstance(above, cst.AugAssign) or file.is_inside(each, loop))
            for each in file.tree.attributes.get(name, ())
        )
    return False


def _is_finiteness(file: FileAnalysis, name: cst.Name) -> bool:
    """`overflown = math.isnan(norm)`"""
    above = file.parent(name)
    assign = file.parent(above) if isinstance(above, cst.AssignTarget) else None
    return isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call) and last_name(assign.value.func) in _FINITE


def _loops_that_bind(file: FileAnalysis, name: cst.Name) -> Iterator[Loop]:
    """The loops in which a name is assigned, this one or those around it: then it may change with a counter."""
    child: Node = name
    above = file.parent(name)
    while isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.AssignTarget)):
        if isinstance(above, cst.AssignTarget):
            yield from file.tree.loops(name)
            return
        child, above = above, file.parent(above)
    if isinstance(above, cst.For) and child is above.target:
        yield above
