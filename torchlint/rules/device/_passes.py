"""What a program does beside a line, before the line's turn comes again: passes through a network in a loop, or a whole epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Loop, counts_epochs, is_written_out, last_name, names_in
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants, runs_once
from torchlint.values.value import Function, Kind

_NETWORK = re.compile(r"(?:model|net|network|generator|denoiser|decoder|encoder|backbone|policy|actor)$", re.IGNORECASE)
_FEW = 8
"""Iterations of a loop that is no long one."""


def has_passes(file: FileAnalysis, scope: Node, node: Node) -> bool:
    """Whether a function or loop goes on, after a node in it, in a long loop of passes through a network."""
    later = (loop for loop in _loops(file, scope) if file.is_after(loop, node) and not _is_optional(file, loop, node))
    return any(_is_long(file, loop) and _passes(file, loop) for loop in later)


def is_once_per_epoch(file: FileAnalysis, node: Node) -> bool:
    """Whether the innermost loop around a node counts epochs or episodes."""
    loop = _innermost(file, node)
    return loop is not None and counts_epochs(loop)


def is_beside_loops(file: FileAnalysis, node: Node) -> bool:
    """Whether a node's turn comes once per epoch, and something else goes round in a loop in each."""
    loop = _innermost(file, node)
    return loop is not None and counts_epochs(loop) and any(not file.is_inside(node, each) for each in _loops(file, loop))


def _is_optional(file: FileAnalysis, loop: Loop, node: Node) -> bool:
    """Whether a condition leaves the loop out now and then, as an evaluation after every thousandth step, and not the node."""
    return any(isinstance(each, cst.If) and each.orelse is None and not file.is_inside(node, each) for each in file.ancestors(loop))


def _innermost(file: FileAnalysis, node: Node) -> Loop | None:
    return next((each for each in file.tree.loops(node) if not runs_once(each)), None)


def _loops(file: FileAnalysis, scope: Node) -> Iterator[Loop]:
    function = scope if isinstance(scope, cst.FunctionDef) else file.function(scope)
    loops: tuple[Loop, ...] = (*file.inside(scope, cst.For), *file.inside(scope, cst.While))
    yield from (each for each in loops if each is not scope and file.function(each) is function)


def _is_long(file: FileAnalysis, loop: Loop) -> bool:
    if runs_once(loop) or is_written_out(loop):
        return False
    if isinstance(loop, cst.For) and isinstance(loop.iter, cst.Call) and last_name(loop.iter.func) == "range" and loop.iter.args:
        bounds = [literal(arg.value) for arg in loop.iter.args]
        return not all(isinstance(each, int) and abs(each) <= _FEW for each in bounds)
    return True


def runs_network(file: FileAnalysis, loop: Loop) -> bool:
    """Whether a module, or what is named as a network is, is called in every round of a loop."""
    return any(_is_pass(file, call) for call in file.inside(loop.body, cst.Call))


def _passes(file: FileAnalysis, loop: Loop) -> bool:
    """Whether a network is run in a loop: one that is not the loop's own variable, and that learns from it only where it gets batches."""
    targets = set(names_in(loop.target)) if isinstance(loop, cst.For) else set()
    calls = file.inside(loop.body, cst.Call)
    if any(last_name(call.func) == "backward" for call in calls) and not any(file.value(each).batch for each in targets):
        return False
    names = {each.value for each in targets}
    return any(_is_pass(file, call) for call in calls if not _is_of(call.func, names))


def _is_of(func: Node, names: set[str]) -> bool:
    """Whether what is called is the loop's own: `layer(x)`, `self.layers[i](x)` are but parts of one pass."""
    if isinstance(func, cst.Subscript):
        return any(isinstance(each, cst.Name) and each.value in names for part in func.slice for each in descendants(part))
    return isinstance(func, cst.Name) and func.value in names


def _is_pass(file: FileAnalysis, call: cst.Call) -> bool:
    func = call.func
    if not isinstance(func, (cst.Name, cst.Attribute, cst.Subscript)) or not call.args:
        return False
    called = file.value(func)
    if called.kind is Kind.MODULE:
        return True  # `self.layers[i](x)` as well
    if isinstance(func, cst.Subscript):
        return False
    if isinstance(called.definition, Function):
        return isinstance(func, cst.Attribute) and file.value(func.value).kind is Kind.MODULE and _touches(called.definition)
    return called.kind is Kind.UNKNOWN and file.qualname(func) is None and _NETWORK.search(last_name(func)) is not None


def _touches(definition: Function) -> bool:
    return isinstance(definition.file, FileAnalysis) and definition.file.relevance.touches_torch(definition.node)
