"""Displays that are multiplied: `[nn.Linear(4, 4)] * n` holds one layer n times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.modules._building import makes_weighted
from torchlint.syntax.tree import Node, descendants


@dataclass(frozen=True, slots=True)
class Repetition:
    node: cst.BinaryOperation
    display: cst.List | cst.Tuple
    layer: cst.Call
    """The first layer in it that has weights or a mode."""
    times: cst.BaseExpression


def repetitions(file: FileAnalysis) -> Iterator[Repetition]:
    """The displays of new layers with weights that are multiplied by a number, unless each is copied on the way."""
    for node in file.nodes(cst.BinaryOperation):
        if not isinstance(node.operator, cst.Multiply):
            continue
        for display, times in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(display, (cst.List, cst.Tuple)) or isinstance(times, cst.Integer) and times.value in ("0", "1"):
                continue
            if _is_truth(file, times):
                continue  # there or not
            elements = [each.value for each in display.elements if isinstance(each, cst.Element)]
            layer = next((each for each in elements if _is_weighted(file, each)), None)
            if isinstance(layer, cst.Call) and len(elements) == len(display.elements) and not _is_copied(file, node):
                yield Repetition(node, display, layer, times)


def _is_truth(file: FileAnalysis, node: Node) -> bool:
    """Whether the number is True or False: a comparison, `bool(…)`, a parameter that is so by default or by its annotation."""
    if isinstance(node, (cst.Comparison, cst.BooleanOperation)):
        return True
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Not)
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value == "bool"
    if not isinstance(node, cst.Name):
        return False
    for binding in file.names.bindings(node):
        param = file.parent(binding.node) if isinstance(binding.node, cst.Name) else binding.node
        if isinstance(param, cst.Param):
            written = param.annotation.annotation if param.annotation is not None else None
            return any(isinstance(each, cst.Name) and each.value in ("True", "False", "bool") for each in (param.default, written))
        if binding.value is not None and isinstance(binding.value, cst.Name):
            return binding.value.value in ("True", "False")
    return False


def _is_weighted(file: FileAnalysis, node: Node) -> bool:
    """A layer with weights, or a pipeline with one in it; dropout and its like may be shared."""
    if not isinstance(node, cst.Call):
        return False
    if file.qualname(node.func) == "torch.nn.Sequential":
        return any(_is_weighted(file, each) for arg in node.args for each in descendants(arg.value) if isinstance(each, cst.Call))
    return makes_weighted(file, node) and "Dropout" not in file.source(node.func)


def _is_copied(file: FileAnalysis, node: Node) -> bool:
    """`[copy.deepcopy(each) for each in [layer] * n]`"""
    return any("copy" in file.source(each) for each in file.ancestors(node) if isinstance(each, (cst.BaseComp, cst.For, cst.Call)))
