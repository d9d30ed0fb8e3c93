"""Whether the code in sight makes a tensor require gradients for sure, and where it puts it on a device.

What a caller may have decided, such as that gradients are off, proves nothing.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts.modules import MODULES_WITH_WEIGHTS
from torchlint.model.conditions import when
from torchlint.model.dataflow import ways
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.algebra import placed
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Place, Value


def origin_of_graph(file: FileAnalysis, value: Value, place: Node) -> Node | None:
    """What proves, in the function of this place, that the value requires gradients: its backward, a leaf or a module made there."""
    if not value.has_graph or value.optional:
        return None
    function = file.function(place)
    for call in value.roots:
        if call in file.tree.order and file.function(call) is function:
            return call
    if isinstance(value.node, cst.Param):
        return None
    for each in value.trained():
        made = each.node
        if not isinstance(made, cst.Call) or made not in file.tree.order or file.function(made) is not function or each.frozen:
            continue
        if each.leaf and each.has_graph and is_leaf_by(file, each, place):
            return made
        if each.kind is Kind.MODULE and _has_weights(each):
            return made
    return None


def origin_of_device(file: FileAnalysis, value: Value, place: Node) -> Node | None:
    """Where, in the function of this place, the value was put on a device, under no other conditions than hold at the place."""
    if not value.is_tensor or value.place is not Place.ACCELERATOR or value.is_joined:
        return None
    function, conditions = file.function(place), {(each.question, each.arm) for each in when(file, place)}
    for each in value.lineage():
        moved = each.node
        if each.place is not Place.ACCELERATOR or moved not in file.tree.order or file.function(moved) is not function:
            continue
        is_first = isinstance(moved, cst.Call) and not any(source.place is Place.ACCELERATOR for source in each.sources)
        if isinstance(moved, cst.Call) and _is_told_none(file, moved, each):
            return None
        if is_first and conditions <= {(known.question, known.arm) for known in when(file, moved)}:
            return moved
    return None


def _is_told_none(file: FileAnalysis, call: cst.Call, made: Value) -> bool:
    """Whether a function of the project puts it where its argument says, and this call says no device, or the CPU."""
    followed = file.flow(file.function(call)).followed.get(call)
    if followed is None or made.original is None:
        return False
    returned = [each.node for each in ways(made.original) if not each.is_joined]
    return bool(returned) and all(isinstance(each, cst.Call) and _puts_on_cpu(each, *followed) for each in returned)


def _puts_on_cpu(made: cst.Call, callee: Flow, given: dict[int, Value]) -> bool:
    for arg in made.args:
        parameter = callee.parameters.get(arg.value.value) if isinstance(arg.value, cst.Name) else None
        if parameter is None or not isinstance(parameter.node, cst.Param) or not _names_device(made, arg):
            continue
        said, default = given.get(id(parameter)), parameter.node.default
        if said is not None:
            return placed(said, said.node) is Place.CPU
        return default is not None and literal(default) in (None, "cpu")
    return False


def _names_device(call: cst.Call, arg: cst.Arg) -> bool:
    if arg.keyword is not None:
        return arg.keyword.value == "device"
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "to" and arg is call.args[0]


def is_leaf_by(file: FileAnalysis, leaf: Value, place: Node) -> bool:
    """Whether a tensor that is made in sight takes gradients by the time of this place: from its constructor on, or asked to before."""
    made = leaf.node
    if not isinstance(made, cst.Call) or made not in file.tree.order:
        return False
    if leaf.qualname == "torch.nn.Parameter" or any(
        each.keyword is not None and each.keyword.value == "requires_grad" for each in made.args
    ):
        return True
    asked = (each for name in ("requires_grad", "requires_grad_") for each in file.attributes_inside(file.function(made), name))
    return any(file.value(each.value) is leaf and file.is_after(place, each) and not file.is_inside(place, each) for each in asked)


def _has_weights(module: Value) -> bool:
    if module.cls is not None:
        return module.cls.has_weights and not module.cls.is_open
    return module.qualname in MODULES_WITH_WEIGHTS
