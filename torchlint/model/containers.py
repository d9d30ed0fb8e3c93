"""Python containers on an instance that hold modules: every assignment, what goes in, and whether the modules are registered after all.

Modules find their children among their attributes only; what stands in a list is hidden from them. Whether a registering container
could take the list's place is answered in `torchlint.model.wrapping`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from torchlint.facts import modules as known
from torchlint.facts.module_attributes import COLLECTING_METHODS, RETURNING_THEIR_MODULE
from torchlint.model.evidence import kind_of_class
from torchlint.model.kinds import Kind, Value
from torchlint.model.names import Binds
from torchlint.model.registration import called, is_handed_over, is_on_instance, is_part_of_instance, is_registered_name
from torchlint.model.tree import Node, descendants

if TYPE_CHECKING:
    from torchlint.model import FileModel
    from torchlint.model.classes import ClassModel

_DISPLAYS = (cst.List, cst.Tuple, cst.Set)
_BUILDERS = {"list": "list", "tuple": "list", "set": "set", "dict": "dict", "collections.OrderedDict": "dict", "collections.deque": "deque"}
_STORING = frozenset("append appendleft add insert extend update setdefault".split())
_WEIGHTED_LOSSES = frozenset(
    {"torch.nn.CrossEntropyLoss", "torch.nn.NLLLoss", "torch.nn.BCELoss", "torch.nn.BCEWithLogitsLoss", "torch.nn.MultiMarginLoss"}
)


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


@dataclass(frozen=True, slots=True)
class Store:
    """One assignment of a container to the attribute."""

    target: cst.Attribute | cst.Name
    value: cst.BaseExpression
    shape: str
    """list, dict, set or deque."""
    elements: tuple[Element, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing stands in it yet: `[]`, `dict()`."""
        if isinstance(self.value, cst.Call):
            return not self.value.args
        return isinstance(self.value, (cst.List, cst.Tuple, cst.Dict)) and not self.value.elements


class HeldModules:
    """An attribute of a module class that holds modules in a Python container."""

    def __init__(self, file: FileModel, owner: ClassModel, attribute: str) -> None:
        self.file = file
        self.owner = owner
        self.attribute = attribute

    @cached_property
    def appearances(self) -> list[Node]:
        """`self.attribute`, everywhere in the class."""
        found = self.file.tree.attributes.get(self.attribute, ())
        return [each for each in found if is_on_instance(self.file, each, self.owner.node)]

    @cached_property
    def stores(self) -> list[Store]:
        """The containers that are assigned to the attribute."""
        found = []
        for _, target, value in self.owner.assignments.get(self.attribute, ()):
            shape = _shape(self.file, value) if value is not None else None
            if value is not None and shape is not None and not self._is_itself(value):
                found.append(Store(target, value, shape, tuple(_elements(self, value))))
        for name, default in _class_level(self.owner, self.attribute):
            shape = _shape(self.file, default)
            if shape is not None:
                found.append(Store(name, default, shape, tuple(_elements(self, default))))
        return found

    @cached_property
    def added(self) -> list[Element]:
        """What is put into the container after it was made."""
        found: list[Element] = []
        for node in self.appearances:
            for value in _put_in(self.file, node):
                spread = isinstance(self.file.parent(node), cst.AugAssign) or _method(self.file, node) in ("extend", "update")
                found += _elements(self, value) if spread else [_element(self, value)]
        for _, _, assigned in self.owner.assignments.get(self.attribute, ()):
            if assigned is not None and self._is_itself(assigned):
                found += _elements(self, assigned)
        return found

    @cached_property
    def elements(self) -> list[Element]:
        return [element for store in self.stores for element in store.elements] + self.added

    @cached_property
    def is_registered(self) -> bool:
        """Whether the class hands the container, or what goes into it, to something that registers modules."""
        if any(name in model.own_methods for model in self.owner.ancestry for name in COLLECTING_METHODS):
            return True
        local = [store.value for store in self.stores if isinstance(store.value, cst.Name)]
        names = [each for value in local for each in self.file.references(value) if each is not value]
        return any(is_handed_over(self.file, self.owner, node) for node in (*self.appearances, *names))

    @cached_property
    def is_hidden_on_purpose(self) -> bool:
        """Frozen right away, or a single element that is never walked over: the way to keep a module out of `parameters()`."""
        if any(_freezes(self.file, node) for node in self.appearances):
            return True
        if self.added or len(self.stores) != 1:
            return False
        value = self.stores[0].value
        if not isinstance(value, (cst.List, cst.Tuple)) or len(value.elements) != 1 or isinstance(value.elements[0], cst.StarredElement):
            return False
        if not _constructs(self.file, value.elements[0].value):
            return True
        reads = [node for node in self.appearances if node is not self.stores[0].target]
        return bool(reads) and all(_is_first(self.file.parent(node)) for node in reads)

    @cached_property
    def obstacle(self) -> str | None:
        """Why `nn.ModuleList` or `nn.ModuleDict` cannot take the container's place, or None."""
        from torchlint.model import wrapping

        return wrapping.obstacle(self)

    @cached_property
    def is_doubtful(self) -> bool:
        """Whether it depends on code or keys that cannot be seen that one of them can."""
        from torchlint.model import wrapping

        return wrapping.is_doubtful(self)

    def _is_itself(self, value: cst.BaseExpression) -> bool:
        """`self.layers + [...]`: the container under its own name."""
        return isinstance(value, cst.BinaryOperation) and value.left in self.appearances


def held_modules(file: FileModel) -> Iterator[HeldModules]:
    """The attributes of module classes whose Python containers hold modules that nothing registers."""
    for owner in file.classes():
        if not owner.is_module:
            continue
        names = [
            name for name, found in owner.assignments.items() if any(value is not None and _shape(file, value) for _, _, value in found)
        ]
        names += [name for name in _class_names(owner) if name not in names]
        for name in names:
            held = HeldModules(file, owner, name)
            kinds = [element.holds for element in held.elements]
            if _is_worth_registering(name, kinds, held.elements) and not held.is_registered and not held.is_hidden_on_purpose:
                yield held


def _is_worth_registering(name: str, kinds: list[Holds], elements: list[Element]) -> bool:
    """Whether something is lost that somebody wants: modules made here, or several that were handed over and are in plain sight."""
    if Holds.MODULE in kinds or Holds.NESTED in kinds:
        return True
    several = kinds.count(Holds.GIVEN) > 1 or any(each.holds is Holds.GIVEN and each.node is None for each in elements)
    return several and not name.startswith("_")


# -- containers ---------------------------------------------------------------------------------------------------------


def _shape(file: FileModel, value: cst.BaseExpression) -> str | None:
    """What kind of container an expression makes, or None."""
    if isinstance(value, cst.Set | cst.SetComp):
        return "set"
    if isinstance(value, cst.Dict | cst.DictComp):
        return "dict"
    if isinstance(value, cst.List | cst.Tuple | cst.ListComp):
        return "list"
    if isinstance(value, cst.BinaryOperation):
        return _shape(file, value.left) or _shape(file, value.right) if isinstance(value.operator, (cst.Add, cst.Multiply)) else None
    if isinstance(value, cst.IfExp):
        shapes = {_shape(file, value.body), _shape(file, value.orelse)}
        return shapes.pop() if len(shapes) == 1 else None
    if isinstance(value, cst.Call):
        name = called(file, value)
        if name in _BUILDERS:
            return _BUILDERS[name]
    if isinstance(value, cst.Name) and _is_annotated_list(file, value):
        return "list"
    if isinstance(value, (cst.Name, cst.Call)):
        made = file.value(value)
        if made.kind in (Kind.LIST, Kind.TUPLE, Kind.DICT) and any(part.kind is Kind.MODULE for part in _parts(made)):
            return "dict" if made.kind is Kind.DICT else "list"
    return None


def _is_annotated_list(file: FileModel, name: cst.Name) -> bool:
    """Whether the name is a parameter that promises a list of modules: `layers: list[nn.Module]`."""
    binding = file.names.definition(name)
    parameter = file.parent(binding.node) if binding is not None and binding.how is Binds.PARAMETER else None
    annotation = parameter.annotation.annotation if isinstance(parameter, cst.Param) and parameter.annotation is not None else None
    if not isinstance(annotation, cst.Subscript) or len(annotation.slice) != 1 or not isinstance(annotation.slice[0].slice, cst.Index):
        return False
    outer = annotation.value.value if isinstance(annotation.value, cst.Name) else ""
    if outer != "list" and file.qualname(annotation.value) not in ("typing.List", "typing.Sequence", "collections.abc.Sequence"):
        return False
    inner = annotation.slice[0].slice.value
    path, model = file.qualname(inner), file.class_of(inner)
    return model is not None and model.is_module or path is not None and kind_of_class(file, path) is Kind.MODULE


def _elements(held: HeldModules, value: cst.BaseExpression) -> list[Element]:
    """What a container expression holds, as far as it is written out; else what the flow model knows of it."""
    if isinstance(value, _DISPLAYS):
        found = []
        for each in value.elements:
            found += _elements(held, each.value) if isinstance(each, cst.StarredElement) else [_element(held, each.value)]
        return found
    if isinstance(value, cst.Dict):
        found = []
        for entry in value.elements:
            found += [_element(held, entry.value)] if isinstance(entry, cst.DictElement) else _elements(held, entry.value)
        return found
    if isinstance(value, cst.DictComp):
        return [_element(held, value.value)]
    if isinstance(value, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
        return [_element(held, value.elt)]
    if isinstance(value, cst.BinaryOperation):
        return [each for side in (value.left, value.right) if _shape(held.file, side) for each in _elements(held, side)]
    if isinstance(value, cst.IfExp):
        return _elements(held, value.body) + _elements(held, value.orelse)
    if isinstance(value, cst.Call) and called(held.file, value) in _BUILDERS:
        return [each for arg in value.args for each in _given(held, value, arg)]
    if isinstance(value, cst.Name) and _is_annotated_list(held.file, value):
        return [Element(Holds.GIVEN, None)]
    return [Element(_by_value(part), None) for part in _parts(held.file.value(value))]


def _given(held: HeldModules, call: cst.Call, arg: cst.Arg) -> list[Element]:
    if arg.keyword is not None:
        return [_element(held, arg.value)]
    pairs = _BUILDERS[called(held.file, call) or ""] == "dict" and isinstance(arg.value, cst.List)
    if pairs and all(isinstance(each.value, cst.Tuple) and len(each.value.elements) == 2 for each in arg.value.elements):  # type: ignore[attr-defined]
        return [_element(held, each.value.elements[1].value) for each in arg.value.elements]  # type: ignore[attr-defined]
    return _elements(held, arg.value)


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


def _put_in(file: FileModel, node: Node) -> Iterator[cst.BaseExpression]:
    """What this appearance of the container puts into it."""
    above = file.parent(node)
    if isinstance(above, cst.AugAssign) and above.target is node:
        yield above.value
    elif isinstance(above, cst.Subscript) and above.value is node:
        target = file.parent(above)
        statement = file.parent(target) if isinstance(target, cst.AssignTarget) else None
        if isinstance(statement, cst.Assign):
            yield statement.value
    elif _method(file, node) in _STORING:
        call = file.parent(above) if above is not None else None
        if isinstance(call, cst.Call) and call.args:
            yield call.args[-1].value


def _method(file: FileModel, node: Node) -> str | None:
    """The method that is called on an expression."""
    above = file.parent(node)
    if isinstance(above, cst.Attribute) and above.value is node:
        call = file.parent(above)
        if isinstance(call, cst.Call) and call.func is above:
            return above.attr.value
    return None


# -- elements -----------------------------------------------------------------------------------------------------------


def _element(held: HeldModules, node: cst.BaseExpression) -> Element:
    return Element(_classify(held, node), node)


def _classify(held: HeldModules, node: cst.BaseExpression) -> Holds:
    file = held.file
    if _shape(file, node) is not None and not isinstance(node, cst.Name):
        kinds = {element.holds for element in _elements(held, node)}
        return Holds.NESTED if kinds & {Holds.MODULE, Holds.NESTED} else Holds.REGISTERED if Holds.REGISTERED in kinds else Holds.OTHER
    if isinstance(node, cst.Call) and file.qualname(node.func) in RETURNING_THEIR_MODULE and node.args:
        return _classify(held, node.args[0].value)
    if isinstance(node, cst.IfExp):
        sides = {_classify(held, node.body), _classify(held, node.orelse)} - {Holds.NONE}
        return sides.pop() if len(sides) == 1 else Holds.MODULE if Holds.MODULE in sides else Holds.UNKNOWN
    if _is_frozen(node):
        return Holds.FROZEN
    if is_part_of_instance(file, held.owner, node):
        return Holds.REGISTERED
    if isinstance(node, cst.Name) and is_registered_name(file, held.owner, node):
        return Holds.REGISTERED
    return _by_value(_value(file, node))


def _value(file: FileModel, node: cst.BaseExpression) -> Value:
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
        weighted = bool(keywords & {"weight", "pos_weight"}) or name in _WEIGHTED_LOSSES and any(arg.keyword is None for arg in call.args)
        return Holds.MODULE if weighted else Holds.STATELESS
    if name == "torch.nn.Sequential" and value.sources and all(_by_value(each) is Holds.STATELESS for each in value.sources):
        return Holds.STATELESS
    definition = value.definition
    if definition is not None and not definition.has_weights and not _has_mode(definition):  # type: ignore[attr-defined]
        return Holds.STATELESS
    return Holds.MODULE


def _has_mode(model: object) -> bool:
    """Whether a class behaves differently in training: it asks for the mode, or has dropout inside."""
    for each in model.ancestry:  # type: ignore[attr-defined]
        for node in descendants(each.node.body):
            if isinstance(node, cst.Attribute) and (node.attr.value == "training" or "Dropout" in node.attr.value):
                return True
            if isinstance(node, cst.Name) and "Dropout" in node.value:
                return True
    return False


def _constructs(file: FileModel, node: cst.BaseExpression) -> bool:
    """Whether an expression makes its module on the spot, by calling a class."""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and file.qualname(node.func) is None:
        node = node.func.value
    if not isinstance(node, cst.Call):
        return False
    path = file.qualname(node.func)
    return path is not None and path.startswith("torch.nn.") or file.class_of(node.func) is not None


def _is_first(node: Node | None) -> bool:
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return False
    index = node.slice[0].slice.value
    return isinstance(index, cst.Integer) and index.value == "0" or isinstance(index, cst.UnaryOperation)


def _freezes(file: FileModel, node: Node) -> bool:
    """`for teacher in self.teachers: …requires_grad = False`"""
    loop = file.parent(node)
    if not isinstance(loop, cst.For) or loop.iter is not node:
        return False
    for each in descendants(loop.body):
        if isinstance(each, cst.Assign) and isinstance(each.value, cst.Name) and each.value.value == "False":
            if any(isinstance(target.target, cst.Attribute) and target.target.attr.value == "requires_grad" for target in each.targets):
                return True
        elif isinstance(each, cst.BaseExpression) and _is_frozen(each):
            return True
    return False


def _is_frozen(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if (
            node.func.attr.value == "requires_grad_"
            and node.args
            and isinstance(node.args[0].value, cst.Name)
            and node.args[0].value.value == "False"
        ):
            return True
        node = node.func.value
    return False


# -- class level --------------------------------------------------------------------------------------------------------


def _class_level(owner: ClassModel, attribute: str) -> Iterator[tuple[cst.Name, cst.BaseExpression]]:
    for line in owner.node.body.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Assign):
                targets = [each.target for each in statement.targets]
            elif isinstance(statement, cst.AnnAssign):
                targets = [statement.target]
            else:
                continue
            for target in targets:
                if isinstance(target, cst.Name) and target.value == attribute and statement.value is not None:
                    yield target, statement.value


def _class_names(owner: ClassModel) -> list[str]:
    """The class attributes that are containers with something called in them."""
    found = []
    for line in owner.node.body.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if (
                isinstance(statement, cst.Assign)
                and isinstance(statement.targets[0].target, cst.Name)
                and _shape(owner.file, statement.value) is not None
            ):
                found.append(statement.targets[0].target.value)
    return found
