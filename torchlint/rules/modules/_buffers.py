"""Tensors that a constructor keeps as plain attributes and `forward` computes with: `to(device)` leaves them behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.dtypes import Numbers, numbers
from torchlint.facts.module_attributes import COLLECTING_METHODS, MODULE_ATTRIBUTES
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import is_after_base_constructor, is_on_instance, is_target
from torchlint.rules.modules._wrapping import is_set_in_body
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Graph, Kind

_MAKING = frozenset(f"torch.{name}" for name in "zeros ones eye arange linspace logspace full rand randn tensor triu tril".split())
_BY_HAND = frozenset("to cuda cpu type_as device is_cuda get_device numpy tolist item dtype requires_grad_ requires_grad".split())
"""What code asks of a tensor that it moves by hand, or does not compute with."""
_RESHAPING = frozenset("view reshape unsqueeze squeeze expand expand_as repeat t transpose permute sum mean".split())
_SHAPED = frozenset("view reshape unsqueeze expand repeat".split())
"""Methods whose result has dimensions, whatever they are called on."""
_MOVING = frozenset("to cuda apply _apply half float double type __getattr__ __setattr__".split()) | COLLECTING_METHODS
_GPU = re.compile(r"cuda|\bmps\b|\.to\(\s*(?:self\.)?\w*dev|\bdevice\b|accelerat|lightning", re.IGNORECASE)
_ELSEWHERE = re.compile(r"set_default_device|set_default_tensor_type|with torch\.device\(")
"""Tensors are made on the device to begin with."""
_LESS_EXACT = re.compile(r"\.half\(|\.double\(|bfloat16|float16|\.float64|DeepSpeed|deepspeed")
_CONVERTS_ALL = re.compile(r"\.type\(")
"""Other conversions of a module leave whole numbers and truth values alone."""


@dataclass(frozen=True, slots=True)
class PlainTensor:
    """`self.name = torch.…` in a constructor."""

    statement: cst.Assign
    target: cst.Attribute
    value: cst.BaseExpression
    use: cst.Attribute
    """Where it is computed with."""
    is_confined: bool
    """Whether no other file can get at the attribute, and no conversion of the module changes the tensor."""


def plain_tensors(file: FileAnalysis) -> Iterator[PlainTensor]:
    if not file.is_written(_GPU) or file.is_written(_ELSEWHERE):
        return  # nothing is moved, or nothing need be
    for owner in file.classes():
        constructor = owner.own_methods.get("__init__")
        if constructor is None or not owner.is_module or any(name in model.own_methods for model in owner.ancestry for name in _MOVING):
            continue
        for name, assigned in owner.assignments.items():
            if len(assigned) == 1 and assigned[0][0] is constructor:
                found = _plain_tensor(file, owner, constructor, name)
                if found is not None:
                    yield found


def _plain_tensor(file: FileAnalysis, owner: ClassModel, constructor: cst.FunctionDef, name: str) -> PlainTensor | None:
    _, target, value = owner.assignments[name][0]
    statement = file.parent(file.parent(target) or target)
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1 or not isinstance(value, cst.Call):
        return None
    if file.statement(statement) not in constructor.body.body or not is_after_base_constructor(file, constructor, target):
        return None
    if not _is_made_here(file, value) or not _is_only_binding(file, owner, name):
        return None
    appearances = [each for each in file.tree.attributes.get(name, ()) if each is not target]
    own = [each for each in appearances if is_on_instance(file, each, owner.node)]
    if any(is_target(file, each) or _is_by_hand(file, each) for each in own):
        return None
    if any(each not in own and _may_be_instance(file, owner, each) for each in appearances):
        return None
    uses = [each for each in own if _is_computed_with(file, each)]
    if not uses:
        return None
    confined = not file.is_reached_elsewhere(name, owner.name) and not _may_be_converted(file, value)
    return PlainTensor(statement, target, value, uses[0], confined)


def _may_be_converted(file: FileAnalysis, value: cst.Call) -> bool:
    """Whether the run converts modules to another precision, and a buffer with these elements along with them."""
    if not file.is_written(_LESS_EXACT):
        return False
    dtype = file.value(value).dtype
    holds = numbers(dtype) if dtype is not None else None
    return holds not in (Numbers.INTEGER, Numbers.BOOL) or file.is_written(_CONVERTS_ALL)


def _may_be_instance(file: FileAnalysis, owner: ClassModel, node: cst.Attribute) -> bool:
    """Whether the attribute may be asked of an instance of this class, outside of its methods: methods of that name are not."""
    call = file.parent(node)
    if isinstance(call, cst.Call) and call.func is node or file.qualname(node) is not None:
        return False
    around = next((each for each in file.ancestors(node) if isinstance(each, cst.ClassDef)), None)
    if around is not None and around is not owner.node and is_on_instance(file, node, around):
        return False  # of another class
    value = file.value(node.value)
    return value.kind in (Kind.UNKNOWN, Kind.MODULE) and value.cls in (None, owner)


def _is_made_here(file: FileAnalysis, value: cst.Call) -> bool:
    """A tensor with a shape that a factory of torch makes on the CPU: no number, nothing that is moved or trained."""
    made = file.value(value)
    if not made.is_tensor or made.graph is Graph.YES or made.scalar:
        return False
    calls = [each for each in descendants(value) if isinstance(each, cst.Call)]
    if not any(file.qualname(each.func) in _MAKING for each in calls):
        return False
    for each in calls:
        if any(arg.keyword is not None and arg.keyword.value in ("device", "requires_grad", "out") or arg.star for arg in each.args):
            return False
        if isinstance(each.func, cst.Attribute) and each.func.attr.value in ("to", "cuda", "type_as", "numpy", "tolist", "item"):
            return False
        path = file.qualname(each.func)
        written = bool(each.args) and isinstance(each.args[0].value, (cst.List, cst.Tuple, cst.ListComp))
        if path == "torch.tensor" and not written and not _is_shaped(value):
            return False  # it may be one number, which every device takes
        if path in ("torch.zeros", "torch.ones", "torch.full") and not each.args:
            return False
    return not any(isinstance(each, cst.Name) and each.value == "self" for each in descendants(value))


def _is_shaped(value: cst.Call) -> bool:
    return isinstance(value.func, cst.Attribute) and value.func.attr.value in _SHAPED and len(value.args) > 1


def _is_only_binding(file: FileAnalysis, owner: ClassModel, name: str) -> bool:
    if name in MODULE_ATTRIBUTES or any(name in model.own_methods or is_set_in_body(model.node, name) for model in owner.ancestry):
        return False
    relatives = (*owner.ancestry[1:], *file.subclasses.get(owner, ()))
    return not any(name in model.assignments for model in relatives)


def _is_by_hand(file: FileAnalysis, node: Node) -> bool:
    above = file.parent(node)
    if isinstance(above, cst.Attribute) and above.attr.value in _BY_HAND:
        return True
    # what gets it may move it, keep it or change it
    return isinstance(above, (cst.Return, cst.AugAssign, cst.Assign)) or isinstance(above, cst.Subscript) and is_target(file, above)


def _is_computed_with(file: FileAnalysis, node: cst.Attribute) -> bool:
    """An operand of arithmetic, in a method that is no constructor."""
    method = file.function(node)
    if not isinstance(method, cst.FunctionDef) or method.name.value != "forward":
        return False
    child: Node = node
    for each in file.ancestors(node):
        if isinstance(each, cst.Subscript):
            if child is not each.value:
                return False  # an index may stay on the CPU
        elif isinstance(each, cst.BinaryOperation):
            return _is_input(file, each.right if child is each.left else each.left)
        elif isinstance(each, cst.Call):
            if isinstance(each.func, cst.Attribute) and (file.qualname(each.func) or "").startswith("torch."):
                return any(_is_input(file, arg.value) for arg in each.args if arg is not child)
            if not isinstance(each.func, cst.Attribute):
                return False
            if child is not each.func:
                return _is_input(file, each.func.value)
        elif isinstance(each, cst.Attribute):
            call = file.parent(each)
            if each.attr.value not in _RESHAPING or not isinstance(call, cst.Call):
                return False
        elif not isinstance(each, (cst.Index, cst.SubscriptElement, cst.Arg, cst.UnaryOperation, cst.Comparison)):
            return False
        child = each
    return False


def _is_input(file: FileAnalysis, node: Node) -> bool:
    """A tensor of several elements that was computed from what `forward` is given, or from weights."""
    value = file.value(node)
    if value.kind not in (Kind.TENSOR, Kind.UNKNOWN) or value.scalar or isinstance(node, cst.Attribute):
        return False
    return value.has_graph or any(isinstance(each.node, cst.Param) for each in value.lineage())
