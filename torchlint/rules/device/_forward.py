"""Numbers that a module's `forward` reads from a tensor, only to compute with tensors again, to show them or to note them.

What decides on shapes, lengths or ways has to be known on the host; what goes back into a tensor has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._guards import is_rare
from torchlint.rules.device._purposes import is_copy
from torchlint.rules.device._reads import candidates
from torchlint.rules.device._shown import reports
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place

_NUMBERS = frozenset({"item", "float", "int"})


class Goal(Enum):
    """What a number is read for."""

    TENSOR = "keep it a tensor: arithmetic of tensors takes one of no dimensions"
    SHOWN = "leave it on the device, and show it outside of `forward` every so many steps"
    NOTED = "keep the detached tensor, and read it outside of `forward`"


def reads(file: FileAnalysis) -> Iterator[tuple[cst.BaseExpression, Goal]]:
    """The reads in `forward` that every call goes through and that could be done without, in document order."""
    known = candidates(file)
    waiting = {file.function(node) for node, subject in known if is_copy(file, node) and file.value(subject).kind is Kind.TENSOR}
    for node, subject in known:
        function = file.function(node)
        if not isinstance(function, cst.FunctionDef) or function.name.value != "forward":
            continue
        owner = file.owner(function)
        if owner is None or not owner.is_module or function in waiting or is_rare(file, node, function):
            continue  # it has to wait anyway, for a whole tensor
        value = file.value(subject)
        if value.kind is not Kind.TENSOR or value.optional or value.place is Place.CPU:
            continue
        if node is subject:
            goal = Goal.SHOWN if _is_printed(file, node) else None
        else:
            goal = _goal(file, node, function) if _reads_number(node) else None
        if goal is not None:
            yield node, goal


def _reads_number(node: Node) -> bool:
    func = node.func if isinstance(node, cst.Call) else None
    return isinstance(func, cst.Attribute) and func.attr.value in _NUMBERS or isinstance(func, cst.Name) and func.value in _NUMBERS


def _is_printed(file: FileAnalysis, node: Node) -> bool:
    """Whether it is shown by a call that is a statement, and is no branch."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Call):
            return isinstance(file.parent(each), cst.Expr) and reports(file, each)
        if isinstance(each, (cst.BaseCompoundStatement, cst.Assert)):
            break
    return False


def _goal(file: FileAnalysis, node: Node, function: cst.FunctionDef) -> Goal | None:
    """What a number is for, if for one of these only; None where the host needs it, or may."""
    child = node
    for each in file.ancestors(node):
        if isinstance(each, cst.BinaryOperation):
            kind = file.value(each).kind
            if kind is Kind.TENSOR:
                return Goal.TENSOR
            if kind is not Kind.NUMBER:
                return None
        elif isinstance(each, cst.AugAssign):
            return Goal.TENSOR if file.value(each.target).kind is Kind.TENSOR and child is each.value else None
        elif isinstance(each, cst.Call):
            return Goal.SHOWN if isinstance(file.parent(each), cst.Expr) and reports(file, each) else None
        elif isinstance(each, cst.Assign):
            return _of_target(file, each, function)
        elif not isinstance(each, (cst.UnaryOperation, cst.Arg, cst.FormattedString, cst.FormattedStringExpression)):
            return None
        child = each
    return None


def _of_target(file: FileAnalysis, assign: cst.Assign, function: cst.FunctionDef) -> Goal | None:
    """What becomes of a number that is given a name, or kept on the module."""
    target = assign.targets[0].target
    if len(assign.targets) != 1:
        return None
    if isinstance(target, cst.Attribute):
        return Goal.NOTED if not any(file.function(use) is function for use in _others(file, target)) else None
    if not isinstance(target, cst.Name):
        return None
    uses = [use for use in file.references(target) if use is not target]
    if not uses or any(file.function(use) is not function or isinstance(file.parent(use), cst.AssignTarget) for use in uses):
        return None
    goals = {_goal(file, use, function) for use in uses}
    return next(iter(goals)) if len(goals) == 1 else None


def _others(file: FileAnalysis, attribute: cst.Attribute) -> Iterator[Node]:
    return (each for each in file.tree.attributes.get(attribute.attr.value, ()) if each is not attribute)


def is_explained(file: FileAnalysis, node: Node) -> bool:
    """Whether a comment at the statement speaks of the read: `# .item() keeps it out of half precision`."""
    statement = file.statement(node)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or not isinstance(statement, cst.SimpleStatementLine):
        return False
    comments = [statement.trailing_whitespace.comment, *(line.comment for line in statement.leading_lines)]
    return any(each is not None and f".{node.func.attr.value}()" in each.value for each in comments)
