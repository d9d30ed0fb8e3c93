"""Python containers on an instance that hold modules: every assignment, what goes in, and whether the modules are registered after all.

Modules find their children among their attributes only; what stands in a list is hidden from them. What an element is is answered in
`torchlint.rules.modules._elements`; whether a registering container could take the list's place, in `torchlint.rules.modules._wrapping`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.module_attributes import COLLECTING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._elements import Element, Holds, container_shape, element_at, elements_of
from torchlint.rules.modules._filling import put_in, spreads
from torchlint.rules.modules._freezing import freezes
from torchlint.rules.modules._menus import is_menu
from torchlint.rules.modules._registration import is_after_base_constructor, is_handed_over, is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.instances import kind_of_instance
from torchlint.values.value import ClassDefinition, Kind, Value


@dataclass(frozen=True, slots=True)
class Store:
    """One assignment of a container to the attribute."""

    target: cst.Attribute | cst.Name
    value: cst.BaseExpression
    shape: str
    """list, dict, set, deque or defaultdict."""
    elements: tuple[Element, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing stands in it yet: `[]`, `dict()`."""
        if isinstance(self.value, cst.Call):
            return not self.value.args
        return isinstance(self.value, (cst.List, cst.Tuple, cst.Dict)) and not self.value.elements


_TAKEN = frozenset({Holds.MODULE, Holds.GIVEN, Holds.STATELESS, Holds.NONE, Holds.FROZEN})
"""What a registering container takes."""


def is_given(held: HeldModules) -> bool:
    """Whether the list comes from a caller, as it is: that it holds modules is all that is known, and not whether they have weights."""
    return all(isinstance(store.value, cst.Name) and held.file.value(store.value).node.__class__ is cst.Param for store in held.stores)


def is_unused(held: HeldModules) -> bool:
    """Whether nobody asks for the list, in this file or, of its class, in another: layers that are never called miss nothing."""
    return not held.uses and not held.file.is_reached_elsewhere(held.attribute, held.owner.name)


class Appearances:
    """Where a file asks for an attribute of that name: by the class whose instance is asked, and of anything else."""

    def __init__(self, file: FileAnalysis, attribute: str) -> None:
        self.on_instance: dict[cst.ClassDef, list[cst.Attribute]] = {}
        self.elsewhere: list[cst.Attribute] = []
        for node in file.tree.attributes.get(attribute, ()):
            around = (each for each in file.ancestors(node) if isinstance(each, cst.ClassDef))
            definition = next((each for each in around if is_on_instance(file, node, each)), None)
            (self.elsewhere if definition is None else self.on_instance.setdefault(definition, [])).append(node)


class HeldModules:
    """An attribute of a module class that holds modules in a Python container."""

    def __init__(self, file: FileAnalysis, owner: ClassModel, attribute: str, found: Appearances) -> None:
        self.file = file
        self._found = found
        self.owner = owner
        self.attribute = attribute

    @cached_property
    def appearances(self) -> list[cst.Attribute]:
        """`self.attribute`, everywhere in the class."""
        return self._found.on_instance.get(self.owner.node, [])

    @cached_property
    def uses(self) -> list[cst.Attribute]:
        """`x.attribute` wherever `x` may be an instance, in the class and around it; the assignments of the containers left out."""
        targets = {store.target for store in self.stores}
        found = [each for each in self._found.elsewhere if self.may_be_instance(self.file.value(each.value))]
        for model in self.family:
            found += self._found.on_instance.get(model.node, ())
        return [each for each in found if each not in targets]

    @cached_property
    def family(self) -> list[ClassModel]:
        """The class, those of this file that it inherits from, and those that inherit from it."""
        return [*(each for each in self.owner.ancestry if each.file is self.file), *self.file.subclasses.get(self.owner, ())]

    @cached_property
    def loops(self) -> list[cst.For | cst.CompFor]:
        """The loops that walk over it."""
        around = (each for node in self.uses for each in self.file.ancestors(node))
        found = [each for each in around if isinstance(each, (cst.For, cst.CompFor))]
        return [loop for loop in dict.fromkeys(found) if any(self.file.is_inside(node, loop.iter) for node in self.uses)]

    def _is_replaced(self, value: Node) -> bool:
        """Whether the next statement makes something else of it under the same name: `self.head = nn.Sequential(*joined(self.head))`"""
        statement = self.file.statement(value)
        block = list(getattr(self.file.parent(statement), "body", ()))
        after = block[block.index(statement) + 1 :][:1] if statement in block else []
        return any(
            isinstance(each, cst.Assign)
            and container_shape(self.file, each.value) is None
            and any(each.targets[0].target is use for use in self.appearances)
            and any(self.file.is_inside(use, each.value) for use in self.appearances)
            for line in after
            if isinstance(line, cst.SimpleStatementLine)
            for each in line.body
        )

    @cached_property
    def stores(self) -> list[Store]:
        """The containers that are assigned to the attribute."""
        found = []
        for _, target, value in self.owner.assignments.get(self.attribute, ()):
            shape = container_shape(self.file, value) if value is not None else None
            if value is not None and shape is not None and not self._is_itself(value) and not self._is_replaced(value):
                found.append(Store(target, value, shape, tuple(elements_of(self.file, self.owner, value))))
        for name, default in _class_level(self.owner, self.attribute):
            shape = container_shape(self.file, default)
            if shape is not None:
                found.append(Store(name, default, shape, tuple(elements_of(self.file, self.owner, default))))
        return found

    @cached_property
    def added(self) -> list[Element]:
        """What is put into the container after it was made."""
        found: list[Element] = []
        for node in self.appearances:
            for value in put_in(self.file, node):
                if spreads(self.file, node):
                    found += elements_of(self.file, self.owner, value)
                else:
                    found.append(self._added_at(node, value))
            above = self.file.parent(node)
            for value in put_in(self.file, above) if isinstance(above, cst.Subscript) and above.value is node else ():
                inner = element_at(self.file, self.owner, value)  # self.rows[i].append(layer)
                found.append(Element(Holds.NESTED, value) if inner.holds is Holds.MODULE else inner)
        for _, _, assigned in self.owner.assignments.get(self.attribute, ()):
            if assigned is not None and self._is_itself(assigned):
                found += elements_of(self.file, self.owner, assigned)
        return found

    def _added_at(self, node: Node, value: cst.BaseExpression) -> Element:
        element = element_at(self.file, self.owner, value)
        if element.holds is Holds.GIVEN and any(isinstance(each, cst.For) for each in self.file.ancestors(node)):
            return Element(Holds.GIVEN, None)  # as many as there are
        return element

    @cached_property
    def elements(self) -> list[Element]:
        return [element for store in self.stores for element in store.elements] + self.added

    @cached_property
    def is_registered(self) -> bool:
        """Whether the class hands the container, or what goes into it, to something that registers modules; or chooses one from it."""
        if any(name in model.own_methods for model in self.owner.ancestry for name in COLLECTING_METHODS):
            return True
        targets = {store.target for store in self.stores}
        if is_menu(self.file, self.owner, [each for each in self.appearances if each not in targets]):
            return True
        local = [store.value for store in self.stores if isinstance(store.value, cst.Name)]
        names = [each for value in local for each in self.file.references(value) if each is not value]
        return any(is_handed_over(self.file, self.owner, node) for node in (*self.appearances, *names))

    @cached_property
    def is_hidden_on_purpose(self) -> bool:
        """Set before the base constructor runs, frozen right away, or a single element that is never walked over.

        Each is a way to keep a module out of `parameters()`.
        """
        if any(
            _is_before_base_constructor(self.file, method, target) for method, target, _ in self.owner.assignments.get(self.attribute, ())
        ):
            return True
        if any(freezes(self.file, node) for node in self.appearances):
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

    def evidence(self) -> Iterator[tuple[Node, str]]:
        """Where a layer is made, if not where the container is; and where the layers run."""
        made = next((each.node for each in self.elements if each.node is not None and each.holds in (Holds.MODULE, Holds.NESTED)), None)
        if made is not None and not any(self.file.is_inside(made, store.value) for store in self.stores):
            yield made, "a layer is put in here"
        for node in self.appearances:
            method = self.file.function(node)
            if isinstance(method, cst.FunctionDef) and method.name.value == "forward":
                yield node, "the layers run here"
                return

    def takes(self, elements: list[Element]) -> bool:
        """Whether a registering container takes all of these."""
        return all(element.holds in _TAKEN and all(arm.holds in _TAKEN for arm in self._arms(element)) for element in elements)

    def _arms(self, element: Element) -> list[Element]:
        """The two sides of a conditional element: one module is enough for a finding, but not for a wrap."""
        if not isinstance(element.node, cst.IfExp):
            return []
        return [element_at(self.file, self.owner, each) for each in (element.node.body, element.node.orelse)]

    def may_be_instance(self, value: Value) -> bool:
        """Whether a value may be an instance of the class."""
        if value.cls is None and value.qualname is not None and kind_of_instance(value.qualname) is Kind.MODULE:
            return False  # a module of torch's own
        return value.kind in (Kind.MODULE, Kind.UNKNOWN) and (value.cls is None or self._is_related(value.cls))

    def _is_related(self, other: ClassDefinition) -> bool:
        return other is self.owner or self.owner in other.ancestry or other in self.owner.ancestry

    def _is_itself(self, value: cst.BaseExpression) -> bool:
        """`self.layers + [...]`: the container under its own name."""
        return isinstance(value, cst.BinaryOperation) and value.left in self.appearances


def held_modules(file: FileAnalysis) -> Iterator[HeldModules]:
    """The attributes of module classes whose Python containers hold modules that nothing registers."""
    found: dict[str, Appearances] = {}
    for owner in file.classes():
        if not owner.is_module:
            continue
        names = [
            name
            for name, assigned in owner.assignments.items()
            if any(value is not None and container_shape(file, value) for _, _, value in assigned)
        ]
        names += [name for name in _class_names(owner) if name not in names]
        for name in names:
            if name not in found:
                found[name] = Appearances(file, name)
            held = HeldModules(file, owner, name, found[name])
            kinds = [element.holds for element in held.elements]
            if (
                held.stores
                and _is_worth_registering(name, kinds, held.elements)
                and not held.is_registered
                and not held.is_hidden_on_purpose
            ):
                yield held


def _is_worth_registering(name: str, kinds: list[Holds], elements: list[Element]) -> bool:
    """Whether something is lost that somebody wants: modules made here, or several that were handed over and are in plain sight."""
    if Holds.MODULE in kinds or Holds.NESTED in kinds:
        return True
    several = kinds.count(Holds.GIVEN) > 1 or any(each.holds is Holds.GIVEN and each.node is None for each in elements)
    return several and not name.startswith("_")


def _is_before_base_constructor(file: FileAnalysis, method: cst.FunctionDef, target: cst.Attribute) -> bool:
    if method.name.value != "__init__" or is_after_base_constructor(file, method, target):
        return False
    later = (each for each in file.tree.attributes.get("__init__", ()) if file.is_inside(each, method.body))
    return any(isinstance(call := file.parent(each), cst.Call) and call.func is each for each in later)


def _constructs(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether an expression makes its module on the spot, by calling a class."""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and file.qualname(node.func) is None:
        node = node.func.value
    if not isinstance(node, cst.Call):
        return False
    path = file.qualname(node.func)
    return path is not None and kind_of_instance(path) is Kind.MODULE or file.class_of(node.func) is not None


def _is_first(node: Node | None) -> bool:
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return False
    index = node.slice[0].slice.value
    return isinstance(index, cst.Integer) and index.value == "0" or isinstance(index, cst.UnaryOperation)


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
            if not isinstance(statement, (cst.Assign, cst.AnnAssign)) or statement.value is None:
                continue
            target = statement.targets[0].target if isinstance(statement, cst.Assign) else statement.target
            if isinstance(target, cst.Name) and container_shape(owner.file, statement.value) is not None:
                found.append(target.value)
    return found
