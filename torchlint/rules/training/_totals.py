"""Totals over the batches of an epoch that go on growing from one epoch to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node

_ZERO = frozenset("0 0.0 0. float(0)".split())


@dataclass
class NeverReset:
    average: cst.BinaryOperation
    """Where it is divided by the number of batches of one epoch."""
    addition: cst.AugAssign
    start: Node
    """Where it is set to zero, once for all epochs."""


def never_reset(file: FileAnalysis) -> Iterator[NeverReset]:
    for addition in file.nodes(cst.AugAssign):
        total = addition.target
        if not isinstance(total, cst.Name) or not isinstance(addition.operator, cst.AddAssign):
            continue
        loops = list(file.tree.loops(addition))
        if len(loops) < 2 or not isinstance(loops[0], cst.For):
            continue
        batches, epochs = loops[0], loops[1]
        bindings = [each for each in file.names.bindings(total) if each.node is not total]
        inside = [each for each in bindings if each.how is not Binds.PARAMETER and file.is_inside(each.node, epochs)]
        starts = [each for each in bindings if each.value is not None and file.source(each.value) in _ZERO]
        if inside or len(bindings) != 1 or not starts:
            continue
        average = _average(file, total, batches, epochs)
        if average is not None:
            yield NeverReset(average, addition, starts[0].node)


def _average(file: FileAnalysis, total: cst.Name, batches: cst.For, epochs: Node) -> cst.BinaryOperation | None:
    """Where the total is divided by the length of what the batches come from, once per epoch."""
    for use in file.references(total):
        divided = file.parent(use)
        if not isinstance(divided, cst.BinaryOperation) or divided.left is not use or not isinstance(divided.operator, cst.Divide):
            continue
        if next(file.tree.loops(divided), None) is epochs and file.is_after(divided, batches) and _is_length(file, divided.right, batches):
            return divided
    return None


def _is_length(file: FileAnalysis, node: Node, batches: cst.For) -> bool:
    over = batches.iter
    while isinstance(over, cst.Call) and over.args:  # `enumerate(loader)`, `tqdm(loader)`
        over = over.args[0].value
    is_length = isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len" and len(node.args) == 1
    return isinstance(node, cst.Call) and is_length and file.source(node.args[0].value) == file.source(over)
