"""Whether a wait keeps the device idle: what an iteration has yet to queue comes too late, or what the next one could queue ahead does.

A wait at the end of an iteration that is followed by a blocking copy of the next batch is only one of two in a row: without it the host
waits there, for the same.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.facts.modules import MANAGED_STEPS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Loop, last_name
from torchlint.rules.device._waits import Wait
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Happens

_METHODS = (known.OPERATIONS, known.REDUCTIONS, known.WITHOUT_GRAPH, known.SYNCHRONISING_METHODS, ("detach", "size", "dim"))
"""Of tensors: next to a pass through a model, what they compute is nothing."""


def holds_up(wait: Wait) -> bool:
    """Whether the optimizer's step is queued after the wait in each iteration, or batches are copied without blocking."""
    file, loop = wait.file, wait.loop
    if _is_printed(file, wait.node):
        return False  # somebody watches it, as the number is watched in a line of text
    if isinstance(loop, cst.FunctionDef):
        if loop.name.value not in MANAGED_STEPS:
            return False
        return not _steps(file, loop) or _is_followed(file, loop, wait.site)  # else the framework goes on with what it returns
    if _is_followed(file, loop, wait.site) or _runs_ahead(file, loop):
        return True
    return wait.site is not wait.node and _is_followed(file, file.function(wait.node), wait.node)


def _is_followed(file: FileAnalysis, scope: Node, node: Node) -> bool:
    """Whether an optimizer steps after a node, in the same turn of a loop or function; a loop over the parts of one step is no turn."""
    sites = (each.site for each in file.flow(file.function(node)).events.values() if each.what is Happens.STEP)
    return any(file.is_inside(each, scope) and file.is_after(each, node) and not file.is_inside(node, each) for each in sites)


def _steps(file: FileAnalysis, function: cst.FunctionDef) -> bool:
    return any(each.what is Happens.STEP for each in file.flow(function).events.values())


def _is_printed(file: FileAnalysis, node: Node) -> bool:
    """Whether a tensor itself goes into a line: `print(loss)`."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Call) and last_name(each.func) == "print":
            return True
        if isinstance(each, cst.BaseSuite):
            break
    return False


def finds_little(wait: Wait, earlier: Wait) -> bool:
    """Whether the host has waited right before, and the device has had little more to do since than to compute what is read."""
    file = wait.file
    block = list(getattr(file.parent(last := file.statement(earlier.row[-1].node)), "body", ()))
    if last not in block or (statement := file.statement(wait.node)) not in block:
        return False
    between = [*block[block.index(last) + 1 : block.index(statement)], wait.node]
    return all(_is_light(file, part) for each in between for part in descendants(each))


def _is_light(file: FileAnalysis, part: Node) -> bool:
    """Whether it is no model, no backward, nor anything else that may take its time."""
    if isinstance(part, cst.BaseCompoundStatement):
        return False
    if not isinstance(part, cst.Call):
        return True
    if isinstance(part.func, cst.Name) and not file.names.bindings(part.func):
        return True  # Python's own
    path = file.qualname(part.func)
    if path is not None:
        return path.startswith("torch.")
    return isinstance(part.func, cst.Attribute) and any(part.func.attr.value in each for each in _METHODS)


def _runs_ahead(file: FileAnalysis, loop: Loop) -> bool:
    """Whether all that the loop moves to a device is copied with `non_blocking=True`."""
    moves = [
        call for call in file.inside(loop, cst.Call) if isinstance(call.func, cst.Attribute) and call.func.attr.value in ("to", "cuda")
    ]
    return bool(moves) and all(map(_is_non_blocking, moves))


def _is_non_blocking(call: cst.Call) -> bool:
    return any(arg.keyword is not None and arg.keyword.value == "non_blocking" and literal(arg.value) is True for arg in call.args)
