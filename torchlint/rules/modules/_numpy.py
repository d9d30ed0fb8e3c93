"""Tensors that a module's `forward` hands to NumPy."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Graph, Value

_BACK = frozenset("torch.from_numpy torch.tensor torch.as_tensor torch.Tensor torch.FloatTensor torch.asarray".split())


def numpy_calls(file: FileAnalysis) -> Iterator[tuple[cst.Call, Node, bool]]:
    """The calls in `forward` that take a tensor to NumPy, the tensor, and whether what comes of it is made a tensor again."""
    for model in file.classes():
        forward = model.own_methods.get("forward")
        if forward is None or not model.is_module or forward.decorators:
            continue
        calls = [call for call in file.inside(forward.body, cst.Call) if file.function(call) is forward]
        if not any(_is_numpy(file, call) or _converts(call) for call in calls):
            continue
        returning = [call for call in calls if file.qualname(call.func) in _BACK]
        for call in calls:
            if _is_numpy(file, call):
                given = next((arg.value for arg in call.args if _has_graph(file.value(arg.value))), None)
                if given is not None:
                    yield call, given, _comes_back(file, returning, call)
            elif _converts(call) and isinstance(call.func, cst.Attribute):
                tensor = file.value(call.func.value)
                if any(_has_graph(each) for each in tensor.lineage()) and _comes_back(file, returning, call):
                    yield call, call.func.value, True


def _is_numpy(file: FileAnalysis, call: cst.Call) -> bool:
    return (file.qualname(call.func) or "").startswith("numpy.")


def _converts(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "numpy"


def _has_graph(value: Value) -> bool:
    return value.is_tensor and value.graph is Graph.YES


def _comes_back(file: FileAnalysis, returning: list[cst.Call], call: cst.Call) -> bool:
    return any(_depends(file, arg.value, call, set()) for made in returning for arg in made.args)


def _depends(file: FileAnalysis, node: Node, on: cst.Call, seen: set[Node]) -> bool:
    """Whether an expression holds another one, itself or through the names in it."""
    for each in descendants(node):
        if each is on:
            return True
        if isinstance(each, cst.Name):
            for binding in file.names.bindings(each):
                if binding.value is not None and binding.value not in seen:
                    seen.add(binding.value)
                    if _depends(file, binding.value, on, seen):
                        return True
    return False
