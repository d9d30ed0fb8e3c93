"""Loops over the children of a module that freeze their parameters, and the parameters that no child has."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Value

_PARAMETER = "torch.nn.Parameter"
_OWNING = ("Linear", "Conv", "BatchNorm", "LayerNorm", "GroupNorm", "Embedding", "LSTM", "GRU", "RNN", "PReLU", "Bilinear")
"""Modules of torch that have no children: all their parameters are their own."""


def partial_freezes(file: FileAnalysis) -> Iterator[tuple[cst.For, cst.Call, str]]:
    """Loops `for child in model.children():` that freeze, where the model has a parameter of its own; with the call and its name."""
    for call in (*file.methods("children"), *file.methods("named_children")):
        assert isinstance(call.func, cst.Attribute)
        loop = next((each for each in file.ancestors(call) if isinstance(each, cst.For)), None)
        if loop is None or not file.is_inside(call, loop.iter) or not _freezes(file, loop):
            continue
        own = _own_parameter(file.value(call.func.value))
        if own is not None:
            yield loop, call, own


def _freezes(file: FileAnalysis, loop: cst.For) -> bool:
    """`p.requires_grad = False`, `child.requires_grad_(False)`; under a condition, some are to be left out."""
    for node in descendants(loop.body):
        if isinstance(node, (cst.If, cst.Break, cst.Continue)):
            return False
    for node in descendants(loop.body):
        if isinstance(node, cst.Assign) and _is_false(node.value):
            targets = (each.target for each in node.targets)
            if any(isinstance(target, cst.Attribute) and target.attr.value == "requires_grad" for target in targets):
                return True
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "requires_grad_":
            return bool(node.args) and _is_false(node.args[0].value)
    return False


def _is_false(node: Node) -> bool:
    return isinstance(node, cst.Name) and node.value == "False"


def _own_parameter(value: Value) -> str | None:
    """The name of a parameter that the module has beside its children, where one is in sight."""
    if value.kind is not Kind.MODULE:
        return None
    if isinstance(value.cls, ClassModel):
        for model in value.cls.ancestry:
            for name, assigned in model.assignments.items():
                for _, _, made in assigned:
                    if isinstance(made, cst.Call) and model.file.qualname(made.func) == _PARAMETER:
                        return name
        return None
    last = (value.qualname or "").removeprefix("torch.nn.")
    return "weight" if (value.qualname or "").startswith("torch.nn.") and last.startswith(_OWNING) else None
