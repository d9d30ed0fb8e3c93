"""Whether a registering container could stand where a Python one does: what the code asks of the list that `nn.ModuleList` cannot do.

Which attributes hold modules in Python containers is answered in `torchlint.rules.modules._containers`.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.module_attributes import MODULE_ATTRIBUTES, MODULE_DICT_KEYS_TAKEN
from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._elements import Element, Holds, element_at, elements_of, is_none
from torchlint.rules.modules._filling import put_in
from torchlint.rules.modules._keys import keys_of, keywords_of, obstacles_of_key
from torchlint.rules.modules._registration import called, is_after_base_constructor, is_on_instance, is_target
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_LIST_METHODS = frozenset("append extend insert pop".split())
_DICT_METHODS = frozenset("items keys values update pop clear".split())
_TAKEN = frozenset({Holds.MODULE, Holds.GIVEN, Holds.STATELESS, Holds.NONE, Holds.FROZEN})
"""What a registering container takes."""
_SEQUENCES_ONLY = frozenset({"random.sample", "reversed"})
"""Calls that refuse what only looks like a sequence; `reversed` walks a list of modules, though not their dict."""
_LOOKING_UP = frozenset({"__getattr__", "__getattribute__"})
"""Methods through which registered modules are found; a class that has its own may never look there."""


def obstacle_of(held: HeldModules) -> str | None:
    """Why a registering container cannot take the place of the Python one, or None."""
    return next(_obstacles(held), None)


def _obstacles(held: HeldModules) -> Iterator[str]:
    shapes = {store.shape for store in held.stores}
    if len(shapes) > 1 or shapes & {"set", "deque", "defaultdict"}:
        yield "torch has no registering container of this shape"
    dictionary = shapes == {"dict"}
    for element in held.elements:
        if element.holds is Holds.NESTED:
            yield "containers in containers need one wrap each"
        elif element.holds is Holds.REGISTERED:
            yield "some of the modules are registered already"
        elif not _are_modules(held, [element]):
            yield "an element may not be a module"
    yield from _obstacles_of_assignment(held)
    yield from _obstacles_of_lookup(held)
    if dictionary:
        for key in keys_of(held):
            yield from obstacles_of_key(held.file, key)
        for name in keywords_of(held):
            if name in MODULE_DICT_KEYS_TAKEN:
                yield f"`nn.ModuleDict` refuses the key `{name}`"
    for node in held.uses:
        yield from _obstacles_of_use(held, node, dictionary)
        if node not in held.appearances:
            yield from _obstacles_of_outside(held, node)


def _obstacles_of_outside(held: HeldModules, node: cst.Attribute) -> Iterator[str]:
    if is_target(held.file, node):
        yield "code outside the class assigns the attribute as well"
    for value in put_in(held.file, node):
        if not _are_modules(held, [element_at(held.file, held.owner, value)]):
            yield "code outside the class may put in something else"


def _are_modules(held: HeldModules, elements: list[Element]) -> bool:
    """Whether a registering container takes all of these."""
    return all(element.holds in _TAKEN and all(arm.holds in _TAKEN for arm in _arms(held, element)) for element in elements)


def _arms(held: HeldModules, element: Element) -> list[Element]:
    """The two sides of a conditional element: one module is enough for a finding, but not for a wrap."""
    if not isinstance(element.node, cst.IfExp):
        return []
    return [element_at(held.file, held.owner, each) for each in (element.node.body, element.node.orelse)]


def _obstacles_of_assignment(held: HeldModules) -> Iterator[str]:
    file, name = held.file, held.attribute
    if name in MODULE_ATTRIBUTES:
        yield f"`{name}` is an attribute that every module has"
    known = {store.target for store in held.stores}
    for method, target, value in held.owner.assignments.get(name, ()):
        if target in known:
            if not _is_after_init(held, method, target):
                yield "modules can be set only after `super().__init__()`"
            statement = file.parent(target)
            above = file.parent(statement) if statement is not None else None
            if isinstance(above, cst.Assign) and len(above.targets) > 1:
                yield "the container has several names"
        elif value is None or not _may_follow(held, value):
            yield "the attribute holds something else at another time"
    for model in held.owner.ancestry:
        if name in model.own_methods or _is_set_in_body(model.node, name):
            yield f"`{name}` in the class body would hide the registered one"
        if model is not held.owner and name in model.assignments:
            yield "a base class assigns the attribute as well"
    for other in file.classes():
        if other is not held.owner and held.owner in other.ancestry and name in other.assignments:
            yield "a subclass assigns the attribute as well"
    for store in held.stores:
        if isinstance(store.value, cst.IfExp) and any(is_none(each) for each in (store.value.body, store.value.orelse)):
            yield "it is None at times"
        if isinstance(store.value, cst.Name) and file.value(store.value).optional:
            yield f"`{store.value.value}` may be None"
        if isinstance(store.value, cst.Name) and any(file.is_after(each, store.value) for each in file.references(store.value)):
            yield f"`{store.value.value}` is used after it was assigned, and the wrap would be a copy"


def _may_follow(held: HeldModules, value: cst.BaseExpression) -> bool:
    """Whether this may be assigned where a module was: None, a module, the container extended by itself."""
    kind = held.file.value(value).kind
    return kind in (Kind.NONE, Kind.MODULE) or isinstance(value, cst.BinaryOperation) and value.left in held.appearances


def _is_after_init(held: HeldModules, method: cst.FunctionDef, target: Node) -> bool:
    """Whether the base constructor has run: it stands before the target, or before every call by which `__init__` could come there."""
    if method.name.value == "__init__":
        return is_after_base_constructor(held.file, method, target)
    for model in held.owner.ancestry:
        constructor = model.own_methods.get("__init__")
        if constructor is None:
            continue
        calls = model.file.inside(constructor.body, cst.Call)
        own = [call for call in calls if isinstance(call.func, cst.Attribute) and is_on_instance(model.file, call.func, model.node)]
        if any(not is_after_base_constructor(model.file, constructor, call) for call in own):
            return False
    return True


def _obstacles_of_lookup(held: HeldModules) -> Iterator[str]:
    """Whether the attribute is looked for in a way that finds no registered module."""
    if any(name in model.own_methods for model in held.owner.ancestry for name in _LOOKING_UP):
        yield "the class looks up attributes itself"
    file = held.file
    for each in file.tree.attributes.get("__dict__", ()):
        if is_on_instance(file, each, held.owner.node) or file.value(each.value).kind is Kind.MODULE:
            yield "modules are not in `__dict__`"
    for name in file.tree.names.get("vars", ()):
        call = file.parent(name)
        if isinstance(call, cst.Call) and call.func is name and call.args and file.value(call.args[0].value).kind is Kind.MODULE:
            yield "`vars()` does not show modules"


def _is_set_in_body(definition: cst.ClassDef, name: str) -> bool:
    for line in definition.body.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            targets: list[Node] = []
            if isinstance(statement, cst.Assign):
                targets = [each.target for each in statement.targets]
            elif isinstance(statement, cst.AnnAssign) and statement.value is not None:
                targets = [statement.target]
            if any(isinstance(target, cst.Name) and target.value in (name, "__slots__") for target in targets):
                return True
    return False


# -- uses ---------------------------------------------------------------------------------------------------------------


def _obstacles_of_use(held: HeldModules, node: Node, dictionary: bool) -> Iterator[str]:
    file = held.file
    container = "nn.ModuleDict" if dictionary else "nn.ModuleList"
    above = file.parent(node)
    if isinstance(above, cst.Attribute):
        call = file.parent(above)
        name = above.attr.value
        if isinstance(call, cst.Call) and call.func is above:
            if name not in (_DICT_METHODS if dictionary else _LIST_METHODS):
                yield f"`{container}` has no `{name}()`"
            elif name == "pop" and len(call.args) != 1:
                yield f"`{container}.pop()` takes exactly one argument"
    elif isinstance(above, cst.BinaryOperation):
        if dictionary or above.right is node or not isinstance(above.operator, cst.Add):
            yield f"`{container}` lacks this operator"
        else:
            added = elements_of(file, held.owner, above.right)
            if not added or not _are_modules(held, added):
                yield "what is added to it may be no module"
    elif isinstance(above, cst.AugAssign) and above.target is node and (dictionary or not isinstance(above.operator, cst.AddAssign)):
        yield f"`{container}` lacks this operator"
    elif isinstance(above, cst.Comparison) and any(isinstance(each.operator, (cst.Equal, cst.NotEqual)) for each in above.comparisons):
        yield f"a `{container}` equals no list"
    elif isinstance(above, cst.ComparisonTarget) and isinstance(above.operator, (cst.Equal, cst.NotEqual)):
        yield f"a `{container}` equals no list"
    elif isinstance(above, cst.Subscript) and is_target(file, above) and any(isinstance(each.slice, cst.Slice) for each in above.slice):
        yield f"`{container}` lets no slice be replaced"
    elif isinstance(above, cst.Subscript) and above.value is node and any(isinstance(each.slice, cst.Slice) for each in above.slice):
        yield from _obstacles_of_use(held, above, dictionary)  # a slice of it is one, too
    elif isinstance(above, cst.Arg):
        call = file.parent(above)
        asked = called(file, call) if isinstance(call, cst.Call) else None
        if asked in ("isinstance", "type"):
            yield f"a `{container}` is no list"
        elif asked in _SEQUENCES_ONLY and (dictionary or asked != "reversed"):
            yield f"`{asked}` refuses a `{container}`"
    elif isinstance(above, cst.Match) and above.subject is node:
        yield f"a `{container}` matches no pattern of a list or dict"
