"""Whether a wait keeps the device idle: what an iteration has yet to queue comes too late, or what the next one could queue ahead does.

A wait at the end of an iteration that is followed by a blocking copy of the next batch is only one of two in a row: without it the host
waits there, for the same.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts.modules import MANAGED_STEPS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import Loop
from torchlint.rules.device._waits import Wait
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.events import Happens


def holds_up(wait: Wait) -> bool:
    """Whether the optimizer's step is queued after the wait in each iteration, or batches are copied without blocking."""
    file, loop = wait.file, wait.loop
    if isinstance(loop, cst.FunctionDef):
        return loop.name.value in MANAGED_STEPS  # the framework goes on with what it returns
    if _is_followed(file, loop, wait.site) or _runs_ahead(file, loop):
        return True
    return wait.site is not wait.node and _is_followed(file, file.function(wait.node), wait.node)


def _is_followed(file: FileAnalysis, scope: Node, node: Node) -> bool:
    """Whether an optimizer steps after a node, in the same turn of a loop or function; a loop over the parts of one step is no turn."""
    sites = (each.site for each in file.flow(file.function(node)).events.values() if each.what is Happens.STEP)
    return any(file.is_inside(each, scope) and file.is_after(each, node) and not file.is_inside(node, each) for each in sites)


def _runs_ahead(file: FileAnalysis, loop: Loop) -> bool:
    """Whether all that the loop moves to a device is copied with `non_blocking=True`."""
    moves = [
        call for call in file.inside(loop, cst.Call) if isinstance(call.func, cst.Attribute) and call.func.attr.value in ("to", "cuda")
    ]
    return bool(moves) and all(map(_is_non_blocking, moves))


def _is_non_blocking(call: cst.Call) -> bool:
    return any(arg.keyword is not None and arg.keyword.value == "non_blocking" and literal(arg.value) is True for arg in call.args)
