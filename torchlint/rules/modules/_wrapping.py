"""Whether a registering container could stand where a Python one does: what stands in its way where it is made and filled.

How the code uses it afterwards is answered in `torchlint.rules.modules._uses`, which attributes hold modules in Python containers in
`torchlint.rules.modules._containers`.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.module_attributes import MODULE_ATTRIBUTES, MODULE_DICT_KEYS_TAKEN
from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._elements import Holds, element_at, is_none
from torchlint.rules.modules._filling import STORING, method_on, put_in
from torchlint.rules.modules._keys import keys_of, keywords_of, obstacles_of_key
from torchlint.rules.modules._registration import called, is_after_base_constructor, is_on_instance, is_target
from torchlint.rules.modules._uses import obstacles_of_use
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

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
        elif not held.takes([element]):
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
        yield from obstacles_of_use(held, node, dictionary)
        if node not in held.appearances:
            yield from _obstacles_of_outside(held, node)


def _obstacles_of_outside(held: HeldModules, node: cst.Attribute) -> Iterator[str]:
    if is_target(held.file, node):
        yield "code outside the class assigns the attribute as well"
    for value in put_in(held.file, node):
        if not held.takes([element_at(held.file, held.owner, value)]):
            yield "code outside the class may put in something else"


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
        if name in model.own_methods or is_set_in_body(model.node, name):
            yield f"`{name}` in the class body would hide the registered one"
        if model is not held.owner and name in model.assignments:
            yield "a base class assigns the attribute as well"
    for other in file.subclasses.get(held.owner, ()):
        if name in other.assignments:
            yield "a subclass assigns the attribute as well"
    for store in held.stores:
        if isinstance(store.value, cst.IfExp) and any(is_none(each) for each in (store.value.body, store.value.orelse)):
            yield "it is None at times"
        if isinstance(store.value, cst.Name) and file.value(store.value).optional:
            yield f"`{store.value.value}` may be None"
        if isinstance(store.value, cst.Name) and not all(_only_fills(held, store.value, each) for each in file.references(store.value)):
            yield f"`{store.value.value}` is used elsewhere, and the wrap would be a copy"


def _only_fills(held: HeldModules, given: cst.Name, name: cst.Name) -> bool:
    """Whether a local container is made, filled or measured here, in the same function and before it is assigned to the attribute."""
    file, above = held.file, held.file.parent(name)
    if name is given or isinstance(above, cst.Param):
        return True
    if file.is_after(name, given) or file.function(name) is not file.function(given) or any(file.tree.loops(given)):
        return False
    if isinstance(above, cst.AssignTarget):
        statement = file.parent(above)
        return isinstance(statement, cst.Assign) and len(statement.targets) == 1
    if isinstance(above, (cst.AugAssign, cst.AnnAssign)):
        return above.target is name
    method, call = method_on(file, name), file.parent(above) if above is not None else None
    if method is not None and call is not None:
        return method in STORING and isinstance(file.parent(call), cst.Expr)
    if isinstance(above, cst.Subscript):  # layers[-1].out_features, layers[i] = layer
        return above.value is name and not any(isinstance(each.slice, cst.Slice) for each in above.slice)
    return isinstance(above, cst.Arg) and isinstance(call, cst.Call) and called(file, call) == "len"


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


def is_set_in_body(definition: cst.ClassDef, name: str) -> bool:
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
