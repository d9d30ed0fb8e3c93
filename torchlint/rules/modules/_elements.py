"""What the elements of a container expression are: modules that matter, modules that are registered anyway, or something else.

Which containers a class keeps is answered in `torchlint.rules.modules._containers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import libcst as cst

from torchlint.facts import modules as known
from torchlint.facts.module_attributes import RETURNING_THEIR_MODULE
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._filling import put_in, spreads
from torchlint.rules.modules._freezing import is_frozen, is_frozen_name
from torchlint.rules.modules._guards import is_guarded_module
from torchlint.rules.modules._registration import called, is_part_of_instance, is_registered_name, makes_registered
from torchlint.syntax.tree import descendants
from torchlint.values.flow import Analysis
from torchlint.values.value import ClassDefinition, Kind, Value

_DISPLAYS = (cst.List, cst.Tuple, cst.Set)
BUILDERS = {
    "list": "list",
    "tuple": "list",
    "set": "set",
    "dict": "dict",
    "collections.OrderedDict": "dict",
    "collections.deque": "deque",
    "collections.defaultdict": "defaultdict",
}


class Holds(Enum):
    """What one element of a container is."""

    MODULE = "a module with weights, buffers or a mode"
    GIVEN = "a module that was made elsewhere"
    STATELESS = "a module that loses nothing when it is not registered"
    REGISTERED = "a module that is registered already"
    FROZEN = "a module that is kept out of training on purpose"
    NESTED = "a container of modules"
    NONE = "None"
    OTHER = "no module"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Element:
    holds: Holds
    node: cst.BaseExpression | None
    """The expression, where the element is written out."""


# -- containers ---------------------------------------------------------------------------------------------------------


def container_shape(file: Analysis, value: cst.BaseExpression) -> str | None:
    """What kind of container an expression makes, or None."""
    if isinstance(value, cst.Set | cst.SetComp):
        return "set"
    if isinstance(value, cst.Dict | cst.DictComp):
        return "dict"
    if isinstance(value, cst.List | cst.Tuple | cst.ListComp):
        return "list"
    if isinstance(value, cst.BinaryOperation):
        return (
            container_shape(file, value.left) or container_shape(file, value.right)
            if isinstance(value.operator, (cst.Add, cst.Multiply))
            else None
        )
    if isinstance(value, (cst.IfExp, cst.BooleanOperation)):
        shapes = {container_shape(file, side) for side in arms(value)}
        return shapes.pop() if len(shapes) == 1 else None
    if isinstance(value, cst.Call):
        name = called(file, value)
        if name in BUILDERS:
            return BUILDERS[name]
    if isinstance(value, (cst.Name, cst.Call)):
        made = file.value(value)
        if made.kind in (Kind.LIST, Kind.TUPLE, Kind.DICT) and any(part.kind is Kind.MODULE for part in _parts(made)):
            return "dict" if made.kind is Kind.DICT else "list"
    return None


def arms(value: cst.IfExp | cst.BooleanOperation) -> list[cst.BaseExpression]:
    """The sides of `a if c else b` and of `a or b`, None left out."""
    sides = [value.body, value.orelse] if isinstance(value, cst.IfExp) else [value.left, value.right]
    return [each for each in sides if not is_none(each)]


def is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def elements_of(file: Analysis, owner: ClassModel, value: cst.BaseExpression) -> list[Element]:
    """What a container expression holds, as far as it is written out; else what the flow model knows of it."""
    if isinstance(value, _DISPLAYS):
        found = []
        for each in value.elements:
            found += elements_of(file, owner, each.value) if isinstance(each, cst.StarredElement) else [element_at(file, owner, each.value)]
        return found
    if isinstance(value, cst.Dict):
        found = []
        for entry in value.elements:
            found += [element_at(file, owner, entry.value)] if isinstance(entry, cst.DictElement) else elements_of(file, owner, entry.value)
        return found
    if isinstance(value, cst.DictComp):
        return [_many(element_at(file, owner, value.value))]
    if isinstance(value, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
        return [_many(element_at(file, owner, value.elt))]
    if isinstance(value, cst.BinaryOperation):
        return [each for side in (value.left, value.right) if container_shape(file, side) for each in elements_of(file, owner, side)]
    if isinstance(value, (cst.IfExp, cst.BooleanOperation)):
        return [each for side in arms(value) for each in elements_of(file, owner, side)]
    if isinstance(value, cst.Call) and called(file, value) in BUILDERS:
        return [each for arg in value.args for each in _given(file, owner, value, arg)]
    if isinstance(value, cst.Name):
        written = _written(file, owner, value)
        if written:
            return written
    return [Element(_by_value(part), None) for part in _parts(file.value(value))]


def _many(element: Element) -> Element:
    """An element that stands for as many as a loop brings: modules of somebody else are given all together then."""
    return Element(element.holds, None) if element.holds is Holds.GIVEN else element


def _written(file: Analysis, owner: ClassModel, name: cst.Name) -> list[Element]:
    """What a local container holds, where all that goes into it is written out in its function."""
    found = []
    for binding in file.names.bindings(name):
        if isinstance(binding.node, cst.Name) and isinstance(file.parent(binding.node), cst.AugAssign):
            continue  # seen below
        made = binding.value
        if made is None or isinstance(made, cst.Name) or container_shape(file, made) is None or binding.node in descendants(made):
            return []
        found += elements_of(file, owner, made)
    for each in file.references(name):
        for value in put_in(file, each):
            found += elements_of(file, owner, value) if spreads(file, each) else [element_at(file, owner, value)]
    return found


def _given(file: Analysis, owner: ClassModel, call: cst.Call, arg: cst.Arg) -> list[Element]:
    if arg.keyword is not None:
        return [element_at(file, owner, arg.value)]
    pairs = BUILDERS[called(file, call) or ""] == "dict" and isinstance(arg.value, cst.List)
    if pairs and all(isinstance(each.value, cst.Tuple) and len(each.value.elements) == 2 for each in arg.value.elements):  # type: ignore[attr-defined]
        return [element_at(file, owner, each.value.elements[1].value) for each in arg.value.elements]  # type: ignore[attr-defined]
    return elements_of(file, owner, arg.value)


def _parts(value: Value) -> list[Value]:
    """The values that a container is known to hold, alternatives one by one."""
    found: list[Value] = []
    stack = [*(value.items or ())] or ([value.elem] if value.elem is not None else [])
    seen: set[int] = set()
    while stack:
        part = stack.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part.node, cst.Pass):  # one of several
            stack.extend(part.sources)
        else:
            found.append(part)
    return found


# -- elements -----------------------------------------------------------------------------------------------------------


def element_at(file: Analysis, owner: ClassModel, node: cst.BaseExpression) -> Element:
    return Element(_classify(file, owner, node), node)


def _classify(file: Analysis, owner: ClassModel, node: cst.BaseExpression) -> Holds:
    if container_shape(file, node) is not None and not isinstance(node, cst.Name):
        kinds = {each.holds for each in elements_of(file, owner, node)}
        return Holds.NESTED if kinds & {Holds.MODULE, Holds.NESTED} else Holds.REGISTERED if Holds.REGISTERED in kinds else Holds.OTHER
    if isinstance(node, cst.Call) and file.qualname(node.func) in RETURNING_THEIR_MODULE and node.args:
        return _classify(file, owner, node.args[0].value)
    if isinstance(node, cst.IfExp):
        sides = {_classify(file, owner, node.body), _classify(file, owner, node.orelse)} - {Holds.NONE}
        return sides.pop() if len(sides) == 1 else Holds.MODULE if Holds.MODULE in sides else Holds.UNKNOWN
    if isinstance(node, cst.NamedExpr):  # layers.append(layer := Linear(2, 2))
        named = _classify(file, owner, node.target)
        return named if named in (Holds.REGISTERED, Holds.FROZEN) else _classify(file, owner, node.value)
    if is_frozen(node):
        return Holds.FROZEN
    if is_part_of_instance(file, owner, node):
        return Holds.REGISTERED
    if isinstance(node, cst.Name) and is_registered_name(file, owner, node):
        return Holds.REGISTERED
    if isinstance(node, cst.Name) and is_frozen_name(file, node):
        return Holds.FROZEN
    if isinstance(node, cst.Call) and makes_registered(file, owner, node):
        return Holds.REGISTERED
    found = _by_value(_value(file, node))
    return Holds.GIVEN if found is Holds.UNKNOWN and isinstance(node, cst.Name) and is_guarded_module(file, node) else found


def _value(file: Analysis, node: cst.BaseExpression) -> Value:
    value = file.flow(file.function(node)).values.get(node)
    # the body of a class is not part of any function's pass
    return value if value is not None else file.flow(file.function(node)).evaluate(node)


def _by_value(value: Value) -> Holds:
    if isinstance(value.node, cst.Pass):
        parts = {_by_value(part) for part in value.sources} - {Holds.NONE}
        return parts.pop() if len(parts) == 1 else Holds.MODULE if parts <= {Holds.MODULE, Holds.STATELESS} else Holds.UNKNOWN
    if value.kind is Kind.NONE:
        return Holds.NONE
    if value.kind is Kind.MODULE:
        return _module(value)
    if value.kind is Kind.UNKNOWN:
        return Holds.OTHER if value.qualname is not None else Holds.UNKNOWN
    if value.kind in (Kind.LIST, Kind.TUPLE, Kind.DICT):
        return Holds.NESTED if any(_by_value(part) is Holds.MODULE for part in _parts(value)) else Holds.OTHER
    return Holds.OTHER


def _module(value: Value) -> Holds:
    name = value.qualname or ""
    call = value.node if isinstance(value.node, cst.Call) else None
    if call is None or not name and value.definition is None:
        return Holds.GIVEN if isinstance(value.node, cst.Param) else Holds.UNKNOWN
    if name in known.STATELESS_MODULES:
        return Holds.STATELESS
    if name in known.LOSS_MODULES:
        keywords = {arg.keyword.value for arg in call.args if arg.keyword is not None}
        first = name in known.LOSSES_WEIGHTED_FIRST and any(arg.keyword is None for arg in call.args)
        weighted = first or bool(keywords & {"weight", "pos_weight"})
        return Holds.MODULE if weighted else Holds.STATELESS
    if name == "torch.nn.Sequential" and value.sources and all(_by_value(each) is Holds.STATELESS for each in value.sources):
        return Holds.STATELESS
    if value.cls is not None and not value.cls.has_weights and not _has_mode(value.cls):
        return Holds.STATELESS
    return Holds.MODULE


def _has_mode(model: ClassDefinition, seen: frozenset[ClassDefinition] = frozenset()) -> bool:
    """Whether a class behaves differently in training: it asks for the mode, or has a module inside that does."""
    for each in model.ancestry:
        assert isinstance(each, ClassModel)
        for node in descendants(each.node.body):
            if isinstance(node, cst.Attribute) and node.attr.value == "training":
                return True
            if isinstance(node, (cst.Attribute, cst.Name)) and each.file.qualname(node) in known.MODAL_MODULES:
                return True
            inner = each.file.class_of(node.func) if isinstance(node, cst.Call) else None
            if inner is not None and inner not in seen and inner.is_module and _has_mode(inner, seen | {model, inner}):
                return True
    return False
