"""Layers whose bias a batch norm takes away again: in a row, or one called on the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import is_on_instance
from torchlint.syntax.tree import Node

_BIASED = frozenset(f"torch.nn.{name}{n}d" for name in ("Conv", "ConvTranspose") for n in (1, 2, 3)) | {"torch.nn.Linear"}
_NORMS = frozenset({"torch.nn.BatchNorm1d", "torch.nn.BatchNorm2d", "torch.nn.BatchNorm3d", "torch.nn.SyncBatchNorm"})
_POSITION = {"torch.nn.Linear": 2}
"""Where `bias` stands among the arguments; behind eight others for convolutions."""


def biased(file: FileAnalysis) -> Iterator[tuple[cst.Call, Node]]:
    """The calls that make a layer with a bias directly before a batch norm, each with what makes or names the norm."""
    for row in _rows(file):
        for layer, norm in pairwise(row):
            if _has_bias(file, layer) and _is_norm(file, norm):
                assert isinstance(layer, cst.Call)
                yield layer, norm
    for owner in file.classes():
        if owner.is_module:
            yield from _called(file, owner)


def _rows(file: FileAnalysis) -> Iterator[list[cst.BaseExpression]]:
    """The arguments of `nn.Sequential`, and displays that are spread into one or added to a list of layers."""
    for call in file.calls("torch.nn.Sequential"):
        yield [arg.value for arg in call.args if arg.keyword is None]
    for display in file.nodes(cst.List):
        if isinstance(file.parent(display), (cst.Arg, cst.AugAssign, cst.Assign, cst.BinaryOperation, cst.Return)):
            yield [each.value for each in display.elements]


def _has_bias(file: FileAnalysis, node: Node) -> bool:
    if not isinstance(node, cst.Call) or file.qualname(node.func) not in _BIASED:
        return False
    if any(arg.star or arg.keyword is not None and arg.keyword.value == "bias" for arg in node.args):
        return False
    given = sum(arg.keyword is None for arg in node.args)
    return given <= _POSITION.get(file.qualname(node.func) or "", 7)


def _is_norm(file: FileAnalysis, node: Node) -> bool:
    return isinstance(node, cst.Call) and file.qualname(node.func) in _NORMS


def _called(file: FileAnalysis, owner: ClassModel) -> Iterator[tuple[cst.Call, Node]]:
    """`self.norm(self.conv(x))`, where neither is called anywhere else."""
    for name, assigned in owner.assignments.items():
        _, target, layer = assigned[0]
        if len(assigned) != 1 or layer is None or not _has_bias(file, layer):
            continue
        if any(name in each.assignments for each in owner.ancestry[1:]):
            continue
        named = file.tree.attributes.get(name, ())
        uses = [each for each in named if each is not target and is_on_instance(file, each, owner.node)]
        outer = _norm_around(file, owner, uses[0]) if len(uses) == 1 else None
        if outer is not None:
            assert isinstance(layer, cst.Call)
            yield layer, outer


def _norm_around(file: FileAnalysis, owner: ClassModel, use: cst.Attribute) -> cst.Call | None:
    call = file.parent(use)
    arg = file.parent(call) if isinstance(call, cst.Call) and call.func is use else None
    outer = file.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(outer, cst.Call) or not isinstance(outer.func, cst.Attribute) or not is_on_instance(file, outer.func, owner.node):
        return None
    norms = owner.assignments.get(outer.func.attr.value, ())
    return outer if norms and all(made is not None and _is_norm(file, made) for _, _, made in norms) else None
