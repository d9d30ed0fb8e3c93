"""Calls `model.forward(x)`: of which modules, whether there is anything to skip, and whether calling the module does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.classes import MODULE
from torchlint.facts.modules import PARALLEL_WRAPPERS
from torchlint.model.program import Program
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_EXPORTS = re.compile(r"export|trace|script|onnx|__call__|compile|profile|flops|hook|wrap|patch|benchmark")
"""Functions in which going round the hooks is likely to be meant."""
_HOOKS = re.compile(
    r"register_(?:full_)?(?:forward|backward|module)\w*hook|weight_norm|spectral_norm|prune\.|parametri|fully_shard|FSDP|FullyShardedDataParallel|torch\.compile"
)


_OWN_CALL = ("torch.nn.", "torchvision.")
"""Libraries whose modules leave `__call__` as `torch.nn.Module` defines it."""


@dataclass(frozen=True, slots=True)
class DirectCall:
    call: cst.Call
    module: cst.BaseExpression
    is_certain: bool
    """Whether a call of the module computes the same, as far as the run shows."""


def direct_calls(file: FileAnalysis) -> Iterator[DirectCall]:
    for call in file.methods("forward"):
        assert isinstance(call.func, cst.Attribute)
        module = call.func.value
        value = file.value(module)
        if value.kind is not Kind.MODULE or _is_instance_itself(file, module) or _is_on_purpose(file, call):
            continue
        if _is_tried_out(file, call) or _is_own_layer(file, module, value) and not file.is_written(_HOOKS):
            continue
        if value.cls is not None and (value.cls.method("__call__") is not None or not value.cls.is_module):
            continue  # calling it does something else
        if value.cls is None and not (value.qualname or "").startswith(_OWN_CALL):
            continue  # parameters() and eval() do not yet make it one of torch's
        is_certain = value.qualname not in PARALLEL_WRAPPERS and value.qualname != MODULE  # any module, by an annotation
        yield DirectCall(call, module, is_certain and not file.is_written(_HOOKS))


def _is_instance_itself(file: FileAnalysis, node: Node) -> bool:
    """`self.forward(x)`, `super().forward(x)`, `Base.forward(self, x)`."""
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value == "super"
    if isinstance(node, cst.Name):
        return node.value in ("self", "cls") or file.class_of(node) is not None
    return file.qualname(node) is not None


def _is_own_layer(file: FileAnalysis, node: Node, value: Value) -> bool:
    """A layer of torch that a module of the project is made of: its hooks would be registered by the program."""
    while isinstance(node, cst.Subscript):
        node = node.value
    owner = file.owner(file.function(node))
    on_self = isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self"
    return on_self and owner is not None and owner.is_module and value.cls is None and (value.qualname or "").startswith("torch.nn.")


def _is_tried_out(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether it stands under `if __name__ == "__main__":`."""
    entry = file.once(_entry)
    return entry is not None and file.is_inside(call, entry)


def _entry(file: FileAnalysis) -> cst.If | None:
    return Program(file).entry


def _is_on_purpose(file: FileAnalysis, call: cst.Call) -> bool:
    return any(isinstance(each, cst.FunctionDef) and _EXPORTS.search(each.name.value) for each in file.ancestors(call))
