"""Whether a program comes to a place without anybody asking for it: no flag, no setting, no function that may never be called."""

from __future__ import annotations

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node

_DEPTH = 3


def is_reached(file: FileAnalysis, node: Node, depth: int = _DEPTH) -> bool:
    """Whether nothing but the program's own start, or a backward in the same function, is needed to come here."""
    if not depth or any(not _asks_for_main(each.test) for each in when(file, node)):
        return False
    function = file.function(node)
    if not isinstance(function, cst.FunctionDef):
        return isinstance(function, cst.Module)
    if file.relevance.reaches_backward(function):
        return True
    calls = (call for call in file.nodes(cst.Call) if isinstance(call.func, cst.Name) and call.func.value == function.name.value)
    return any(file.function(call) is not function and is_reached(file, call, depth - 1) for call in calls)


def _asks_for_main(test: Node) -> bool:
    return isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and test.left.value == "__name__"
