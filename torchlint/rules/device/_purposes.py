"""What a value is brought to the host for, and how often: whether a wait could go, has to stay, or is rare.

A condition makes a wait rare only if it changes from one iteration to the next: `step % 100 == 0`. A flag, a rank, `is not None` or a look
at finiteness lets every iteration through, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Loop, is_environment_step
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind

_STORES = frozenset("append appendleft extend insert add".split())
_FINITE = frozenset("isfinite isnan isinf is_nan".split())
_RANK = re.compile(r"rank|main_process|master|primary|is_initialized")
_REPORTS = frozenset("print info debug warning write log set_postfix set_description add_scalar".split())


_COPIES = frozenset("cpu numpy tolist".split())
_REDUCTIONS = frozenset("sum mean item max min".split())


class Purpose(Enum):
    """What becomes of a wait."""

    GOES = "goes"
    """The loop could do without it."""
    STAYS = "stays"
    """The host needs the value in this very iteration: to collect it, to decide, to act."""
    RARE = "rare"
    """Only some iterations get there."""


def purpose(file: FileAnalysis, node: Node, loop: Loop, *, trains: bool) -> Purpose:
    """What a wait in a hot loop is for; `trains`: whether the loop runs backward."""
    if _is_rare(file, node, loop):
        return Purpose.RARE
    if _is_collected(file, node, loop) or _is_acted_on(file, node) or _decides(file, node, loop):
        return Purpose.STAYS
    if _is_copy(node) and not _is_reduced(file, node) and (not trains or _is_handed_on(file, node, loop)):
        return Purpose.STAYS  # without training, the loop is there to bring results to the host
    return Purpose.GOES


def _is_copy(node: Node) -> bool:
    """Whether a whole tensor goes to the host, not a number."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _COPIES


def _is_reduced(file: FileAnalysis, node: Node) -> bool:
    """`x.cpu().sum()`: only a number is wanted of it."""
    above = file.parent(node)
    return isinstance(above, cst.Attribute) and above.attr.value in _REDUCTIONS


# -- how often ----------------------------------------------------------------------------------------------------------


def _is_rare(file: FileAnalysis, node: Node, loop: Loop) -> bool:
    """Whether only some iterations get there, or it ends the loop."""
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
        elif isinstance(each, (cst.Return, cst.Yield, cst.Assert, cst.Raise, cst.ExceptHandler, cst.MatchCase)):
            return True
        elif isinstance(each, cst.BooleanOperation) and child is each.right and not _is_constant(file, each.left, loop):
            return True
        child = each
    return False


def _index(block: list[Node] | tuple[Node, ...], child: Node) -> int:
    return next((index for index, each in enumerate(block) if each is child), 0)


def _skips(file: FileAnalysis, statement: Node, loop: Loop) -> bool:
    """`if step % 100: continue`: what follows is for some iterations only."""
    if not isinstance(statement, cst.If) or statement.orelse is not None or not _ends_in(statement.body, cst.Continue):
        return False
    return any(isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Modulo) for each in descendants(statement.test)) or (
        _fills(statement.test)
    )


def _fills(test: Node) -> bool:
    """`len(memory) < size`: whether the loop gathers something first."""
    if not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Call) or _last(test.left.func) != "len":
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


def _is_constant(file: FileAnalysis, test: cst.BaseExpression, loop: Loop) -> bool:
    """Whether a condition lets every iteration through, or none: it asks for a flag, a rank, a presence, a type, or finiteness."""
    if isinstance(test, cst.BooleanOperation):
        return _is_constant(file, test.left, loop) and _is_constant(file, test.right, loop)
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _is_constant(file, test.expression, loop)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        operator, other = test.comparisons[0].operator, test.comparisons[0].comparator
        if isinstance(operator, (cst.Is, cst.IsNot)):
            return True
        return isinstance(operator, (cst.Equal, cst.NotEqual, cst.In, cst.NotIn)) and _is_literal(other) and _is_flag(file, test.left, loop)
    if isinstance(test, cst.Call):
        name = _last(test.func)
        return name in _FINITE or name in ("isinstance", "hasattr", "len", "bool") or _RANK.search(name) is not None
    return _is_flag(file, test, loop)


def _is_literal(node: Node) -> bool:
    if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        return all(_is_literal(each.value) for each in node.elements)
    return isinstance(node, (cst.Integer, cst.Float, cst.SimpleString, cst.UnaryOperation)) or _last(node) in ("True", "False", "None")


def _is_flag(file: FileAnalysis, node: Node, loop: Loop) -> bool:
    """A name or attribute that no iteration changes, and that is not there for debugging."""
    name = _last(node)
    if not name or "debug" in name.lower():
        return False
    if isinstance(node, cst.Name):
        return all(
            not isinstance(file.parent(use), cst.AugAssign) and next(_loops_that_bind(file, use), None) is None
            for use in file.references(node)
        )
    if isinstance(node, cst.Attribute):
        return not any(
            isinstance(above := file.parent(each), (cst.AugAssign, cst.AssignTarget))
            and (isinstance(above, cst.AugAssign) or file.is_inside(each, loop))
            for each in file.tree.attributes.get(name, ())
        )
    return False


def _loops_that_bind(file: FileAnalysis, name: cst.Name) -> Iterator[Loop]:
    """The loops in which a name is assigned, this one or those around it: then it may change with a counter."""
    child: Node = name
    above = file.parent(name)
    while isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.AssignTarget)):
        if isinstance(above, cst.AssignTarget):
            yield from file.tree.loops(name)
            return
        child, above = above, file.parent(above)
    if isinstance(above, (cst.For, cst.CompFor)) and child is above.target:
        yield from (above,) if isinstance(above, cst.For) else ()


def _last(node: Node) -> str:
    return str(node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else "")


# -- what for -----------------------------------------------------------------------------------------------------------


def _is_collected(file: FileAnalysis, node: Node, loop: Loop) -> bool:
    """Whether the value goes straight into a container: a learning curve, or results for the host."""
    displayed = False
    for each in file.ancestors(node):
        if isinstance(each, cst.Call) and not file.is_inside(node, each.func):
            if isinstance(each.func, cst.Attribute) and each.func.attr.value in _STORES:
                return True
            if displayed:
                return False  # a row for a logger: `wandb.log({"loss": loss.item()})`
        if isinstance(each, (cst.ListComp, cst.DictComp)):
            return True
        displayed = displayed or isinstance(each, cst.Dict)
        if isinstance(each, cst.AugAssign):
            return file.value(each.target).kind is Kind.LIST
        if isinstance(each, cst.Assign):
            return any(isinstance(target.target, cst.Subscript) for target in each.targets) or (
                displayed and not all(_is_said(file, use) for use in _uses(file, each, loop))
            )
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return displayed


def _uses(file: FileAnalysis, assign: cst.Assign, loop: Loop) -> Iterator[cst.Name]:
    """Where an assigned name is used in the loop."""
    for target in assign.targets:
        if isinstance(target.target, cst.Name):
            yield from (use for use in file.references(target.target) if use is not target.target and file.is_inside(use, loop))


def _is_said(file: FileAnalysis, use: Node) -> bool:
    """Whether a row of values goes to a call that keeps nothing of it: `log(row)`, `bar.set_postfix(**row)`, `str(row)`."""
    above = file.parent(use)
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    return isinstance(call, cst.Call) and _last(call.func) not in _STORES


def _is_handed_on(file: FileAnalysis, node: Node, loop: Loop) -> bool:
    """Whether a whole tensor is given to something that may need it there and then: `memory.update(indices, priorities.cpu())`."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Arg):
            call = file.parent(each)
            return isinstance(call, cst.Call) and file.qualname(call.func) is None and _last(call.func) not in _REPORTS
        if isinstance(each, cst.Assign):
            return any(isinstance(file.parent(use), cst.Arg) and _is_handed_on(file, use, loop) for use in _uses(file, each, loop))
        if isinstance(each, cst.BaseSuite):
            return False
    return False


def _is_acted_on(file: FileAnalysis, node: Node) -> bool:
    """Whether the value goes into `env.step(…)`: an environment needs its action on the host."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Call) and not file.is_inside(node, each.func) and _steps(file, each):
            return True
        if isinstance(each, cst.Assign):
            uses = (use for target in each.targets if isinstance(target.target, cst.Name) for use in file.references(target.target))
            return any(isinstance(above := file.parent(use), cst.Arg) and _steps(file, file.parent(above)) for use in uses)
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return False


def _steps(file: FileAnalysis, call: Node | None) -> bool:
    return isinstance(call, cst.Call) and _last(call.func) == "step" and is_environment_step(file, call)


def _decides(file: FileAnalysis, node: Node, loop: Loop) -> bool:
    """Whether the host needs the value to go on: it decides what is run, not only what is kept or said."""
    for each in file.ancestors(node):
        if each is loop or isinstance(each, cst.BaseSuite):
            return each is loop  # the test of a `while`
        if isinstance(each, cst.If):
            return not _only_notes(each)
        if isinstance(each, cst.While):
            return True
        if isinstance(each, cst.Assign):
            uses = (use for target in each.targets if isinstance(target.target, cst.Name) for use in file.references(target.target))
            return any(file.is_inside(use, loop) and _is_tested(file, use) for use in uses)
    return False


def _is_tested(file: FileAnalysis, use: Node) -> bool:
    child = use
    for each in file.ancestors(use):
        if isinstance(each, (cst.If, cst.While, cst.IfExp, cst.Assert)) and child is each.test:
            return not (isinstance(each, cst.If) and _only_notes(each))
        if isinstance(each, (cst.BaseSuite, cst.SimpleStatementLine)):
            return False
        child = each
    return False


def _only_notes(branch: cst.If) -> bool:
    """Whether a branch only assigns and reports: `if loss < best: best = loss`."""
    suites = [branch.body]
    if isinstance(branch.orelse, cst.Else):
        suites.append(branch.orelse.body)
    elif branch.orelse is not None:
        return False
    lines = [line for suite in suites for line in suite.body]
    return all(isinstance(line, cst.SimpleStatementLine) and all(_notes(each) for each in line.body) for line in lines)


def _notes(statement: Node) -> bool:
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.Call) and _last(statement.value.func) in _REPORTS
    return isinstance(statement, (cst.Assign, cst.AugAssign, cst.Pass))
