"""Results whose own gradient is read: torch keeps it for leaves alone, unless it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.tensors import MOVES
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd._leaves import MAY_KEEP, lost_leaves
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_KEEPS = ("retain_grad", "requires_grad_", "requires_grad", "register_hook", "grad_fn", "is_leaf")
"""What shows that somebody has thought of it, or has made a leaf of it."""

_DEPTH = 6


@dataclass(frozen=True)
class Read:
    attribute: cst.Attribute
    backward: Node
    """The first backward that reaches the result, after which it is read."""


def reads(file: FileAnalysis) -> Iterator[Read]:
    lost = {id(file.value(each.result)) for each in lost_leaves(file)}
    for attribute in file.tree.attributes.get("grad", ()):
        tensor = file.value(attribute.value)
        if isinstance(file.parent(attribute), (cst.AssignTarget, cst.Del)) or not isinstance(attribute.value, cst.Name):
            continue
        if not _is_result(file, tensor) or id(tensor) in lost or _is_kept(file, attribute, tensor):
            continue
        backward = _backward(file, attribute, tensor)
        if backward is not None:
            yield Read(attribute, backward)


def _is_result(file: FileAnalysis, tensor: Value, depth: int = _DEPTH) -> bool:
    """Whether it was computed, for sure, from something that takes gradients."""
    made = tensor.node
    if not tensor.is_tensor or not tensor.has_graph or tensor.leaf or tensor.optional or tensor.is_joined or tensor.batch:
        return False
    module = file.value(made.func) if isinstance(made, cst.Call) and made in file.tree.order else None
    if module is not None and module.kind is Kind.MODULE and module.qualname is not None and not module.frozen and not tensor.pure:
        return True
    method = made.func.attr.value if isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) else ""
    if method in MAY_KEEP or method in MOVES:
        return depth > 0 and any(_is_result(file, each, depth - 1) for each in tensor.sources)
    return tensor.pure and depth > 0 and any(each.leaf and each.has_graph or _is_result(file, each, depth - 1) for each in tensor.sources)


def _is_kept(file: FileAnalysis, attribute: cst.Attribute, tensor: Value) -> bool:
    function = file.function(attribute)
    asked = (each for name in _KEEPS for each in file.attributes_inside(function, name))
    if any(file.value(each.value) is tensor for each in asked):
        return True
    written = (each for each in file.attributes_inside(function, "grad") if isinstance(file.parent(each), cst.AssignTarget))
    return any(file.value(each.value) is tensor for each in written)


def _backward(file: FileAnalysis, attribute: cst.Attribute, tensor: Value) -> Node | None:
    function = file.function(attribute)
    runs = [each for each in tensor.differentiated if each in file.tree.order and file.function(each) is function]
    earlier = [each for each in runs if file.is_after(attribute, each)]
    return min(earlier, key=file.tree.order.__getitem__, default=None)
