"""`nn.Sequential(*list(model.children())[:-1])`: whether a pipeline is made of the children of another model."""

from __future__ import annotations

import libcst as cst

from torchlint.facts.classes import MODULE
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Value

_ROWS = frozenset({"torch.nn.Sequential", "torch.nn.ModuleList"})


def children_in(file: FileAnalysis, pipeline: cst.Call) -> cst.Call | None:
    """The call of `children()` whose result is spread into the pipeline, directly or through one name."""
    for arg in pipeline.args:
        if arg.star == "*":
            found = _children(file, arg.value)
            if found is not None and isinstance(found.func, cst.Attribute) and not _may_be_row(file, found.func.value):
                return found
    return None


def _children(file: FileAnalysis, node: Node, names: int = 2) -> cst.Call | None:
    while isinstance(node, cst.Subscript):
        node = node.value
    if isinstance(node, cst.Call):
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "children" and not node.args:
            return node
        if isinstance(node.func, cst.Name) and node.func.value in ("list", "tuple") and len(node.args) == 1:
            return _children(file, node.args[0].value, names)
    if isinstance(node, (cst.List, cst.Tuple)):
        spread = (each.value for each in node.elements if isinstance(each, cst.StarredElement))
        return next((found for each in spread if (found := _children(file, each, names)) is not None), None)
    if isinstance(node, cst.BinaryOperation):
        return _children(file, node.left, names) or _children(file, node.right, names)
    if isinstance(node, cst.Name) and names:
        made = [binding.value for binding in file.names.bindings(node)]
        others = [each for each in made if each is not None and node not in descendants(each)]
        return _children(file, others[0], names - 1) if len(others) == 1 else None
    return None


def _may_be_row(file: FileAnalysis, model: Node) -> bool:
    """Whether the model is a row of layers, or an unknown part of one, such as `net.features`, which often is."""
    value = file.value(model)
    return _is_row(value) or isinstance(model, cst.Attribute) and value.kind is not Kind.MODULE


def _is_row(value: Value) -> bool:
    """Whether the model itself runs its children one after the other."""
    if value.kind is not Kind.MODULE:
        return False
    if isinstance(value.cls, ClassModel):
        return "torch.nn.Sequential" in value.cls.imported_bases - {MODULE} and value.cls.method("forward") is None
    return value.qualname in _ROWS
