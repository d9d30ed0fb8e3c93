"""Writes to leaves that take gradients, at places where gradients are recorded for sure: torch refuses them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.operations import operation
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd._requirements import is_leaf_by
from torchlint.syntax.tree import Node
from torchlint.values.events import Happens
from torchlint.values.value import Value

_FLAGS = frozenset({"requires_grad_", "detach_", "share_memory_"})
_SWITCHES = frozenset("set_grad_enabled __enter__ enter_context".split())


def writes(file: FileAnalysis) -> Iterator[tuple[Node, cst.BaseExpression]]:
    """The statement or call that writes, and the leaf, in document order."""
    found = sorted(_candidates(file), key=lambda each: file.tree.order[each[0]])
    for write, leaf in found:
        value = file.value(leaf)
        if value.is_tensor and value.leaf and value.has_graph and not value.optional and _is_recorded(file, write, value):
            yield write, leaf


def _candidates(file: FileAnalysis) -> Iterator[tuple[Node, cst.BaseExpression]]:
    for statement in file.nodes(cst.AugAssign):
        if isinstance(statement.target, (cst.Name, cst.Attribute)):
            yield statement, statement.target
        elif isinstance(statement.target, cst.Subscript):
            yield statement, statement.target.value
    for assignment in file.nodes(cst.Assign):
        target = assignment.targets[0].target
        if len(assignment.targets) == 1 and isinstance(target, cst.Subscript):
            yield assignment, target.value
    for call in file.nodes(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value.endswith("_") and call.func.attr.value not in _FLAGS:
            known = operation(f"torch.Tensor.{call.func.attr.value}")
            if known is not None and "self" in known.changes:
                yield call, call.func.value


def _is_recorded(file: FileAnalysis, write: Node, leaf: Value) -> bool:
    """Whether gradients are on: the function itself made the leaf or ran backward, and no block, decorator or caller switches them off."""
    function = file.function(write)
    if any(isinstance(each, cst.With) for each in file.ancestors(write)):
        return False  # one that is not torch's may switch them off as well
    if any(file.tree.attributes.get(each) or file.tree.names.get(each) for each in _SWITCHES):
        return False
    if isinstance(function, cst.FunctionDef) and (function.decorators or file.called_with_gradients(function) is not True):
        return False
    made = leaf.node
    if isinstance(made, cst.Call) and made in file.tree.order and file.function(made) is function and is_leaf_by(file, leaf, write):
        return True
    flow = file.flow(function)
    steps = any(each.what is Happens.STEP and each.node is write for each in flow.events.values())
    return steps and any(each.what is Happens.BACKWARD and not each.chain for each in flow.events.values())
