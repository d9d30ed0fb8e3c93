"""Whether a registering container could stand where a Python one does: what the code asks of the list that `nn.ModuleList` cannot do.

Which attributes hold modules in Python containers is answered in `torchlint.rules.modules._containers`.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.module_attributes import MODULE_ATTRIBUTES, MODULE_DICT_KEYS_TAKEN
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.modules._containers import HeldModules, Store
from torchlint.rules.modules._elements import Element, Holds, element_at, elements_of
from torchlint.rules.modules._registration import called, is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_LIST_METHODS = frozenset("append extend insert pop".split())
_DICT_METHODS = frozenset("items keys values update pop clear".split())
_READS = frozenset(
    """len enumerate zip reversed iter list tuple dict sorted any all map filter sum max min next print id repr bool random.choice
    random.sample itertools.chain itertools.zip_longest itertools.product itertools.islice""".split()
)
"""Calls that treat both kinds of container alike."""

_LOOKING_AFTER = frozenset({"train", "eval", "to"})
"""Methods that a module overrides to do by hand what registration would do."""


def obstacle_of(held: HeldModules) -> str | None:
    """Why a registering container cannot take the place of the Python one, or None."""
    return next(_obstacles(held), None)


def is_doubtful(held: HeldModules) -> bool:
    """Whether code that cannot be seen gets the container, a key cannot be told, or the module looks after its parts itself."""
    if _LOOKING_AFTER & held.owner.own_methods.keys():
        return True
    if any(element.holds is Holds.GIVEN for element in held.elements):
        return True
    if any(_key_is_unsure(held.file, key) for key in _keys(held)):
        return True
    if any(_is_unseen(held, store.value) for store in held.stores) or any(_is_unseen(held, value) for value in _spread(held)):
        return True
    targets = {store.target for store in held.stores}
    return any(_escapes(held.file, node) for node in held.appearances if node not in targets)


def _obstacles(held: HeldModules) -> Iterator[str]:
    shapes = {store.shape for store in held.stores}
    if len(shapes) > 1 or shapes & {"set", "deque"}:
        yield "torch has no registering container of this shape"
    dictionary = shapes == {"dict"}
    allowed = {Holds.MODULE, Holds.GIVEN, Holds.STATELESS, Holds.NONE, Holds.FROZEN}
    for element in held.elements:
        if element.holds is Holds.NESTED:
            yield "containers in containers need one wrap each"
        elif element.holds is Holds.REGISTERED:
            yield "some of the modules are registered already"
        elif element.holds not in allowed or any(arm.holds not in allowed for arm in _arms(held, element)):
            yield "an element may not be a module"
    yield from _obstacles_of_assignment(held)
    if dictionary:
        for key in _keys(held):
            yield from _obstacles_of_key(held.file, key)
        for name in _keywords(held):
            if name in MODULE_DICT_KEYS_TAKEN:
                yield f"`nn.ModuleDict` refuses the key `{name}`"
    targets = {store.target for store in held.stores}
    for node in held.file.tree.attributes.get(held.attribute, ()):
        if node not in targets and not _belongs_to_another_class(held, node):
            yield from _obstacles_of_use(held.file, node, dictionary)
            if node not in held.appearances and _is_target(held.file, node):
                yield "code outside the class assigns the attribute as well"


def _arms(held: HeldModules, element: Element) -> list[Element]:
    """The two sides of a conditional element: one module is enough for a finding, but not for a wrap."""
    if not isinstance(element.node, cst.IfExp):
        return []
    return [element_at(held.file, held.owner, each) for each in (element.node.body, element.node.orelse)]


def _spread(held: HeldModules) -> Iterator[cst.BaseExpression]:
    """What the container is extended by."""
    for node in held.appearances:
        above = held.file.parent(node)
        call = held.file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in ("extend", "update") else None
        if isinstance(above, cst.AugAssign) and above.target is node:
            yield above.value
        elif isinstance(call, cst.Call) and call.func is above and call.args:
            yield call.args[0].value


def _is_unseen(held: HeldModules, value: cst.BaseExpression) -> bool:
    """Whether some of what a container expression brings along is written somewhere else: `[*given]`, `[...] + given`."""
    if isinstance(value, (cst.List, cst.Tuple, cst.Set)):
        return any(isinstance(each, cst.StarredElement) and _is_unseen(held, each.value) for each in value.elements)
    if isinstance(value, cst.Dict):
        return any(isinstance(each, cst.StarredDictElement) and _is_unseen(held, each.value) for each in value.elements)
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        return _is_unseen(held, value.left) or _is_unseen(held, value.right)
    if value in held.appearances or isinstance(value, cst.Call) and not value.args:
        return False
    return not elements_of(held.file, held.owner, value)


def _belongs_to_another_class(held: HeldModules, node: cst.Attribute) -> bool:
    """`self.layers` of a class that neither inherits from the owner nor hands down to it."""
    for each in held.file.ancestors(node):
        if isinstance(each, cst.ClassDef) and is_on_instance(held.file, node, each):
            model = held.file.class_model(each)
            return held.owner not in model.ancestry and model not in held.owner.ancestry
    return False


def _obstacles_of_assignment(held: HeldModules) -> Iterator[str]:
    file, name = held.file, held.attribute
    if name in MODULE_ATTRIBUTES:
        yield f"`{name}` is an attribute that every module has"
    known = {store.target for store in held.stores}
    for method, target, value in held.owner.assignments.get(name, ()):
        if target in known:
            if method.name.value == "__init__" and not _is_after_init(file, method, target):
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
        if isinstance(store.value, cst.Name) and any(file.is_after(each, store.value) for each in file.references(store.value)):
            yield f"`{store.value.value}` is used after it was assigned, and the wrap would be a copy"


def _may_follow(held: HeldModules, value: cst.BaseExpression) -> bool:
    """Whether this may be assigned where a module was: None, a module, the container extended by itself."""
    kind = held.file.value(value).kind
    return kind in (Kind.NONE, Kind.MODULE) or isinstance(value, cst.BinaryOperation) and value.left in held.appearances


def _is_after_init(file: FileAnalysis, method: cst.FunctionDef, target: Node) -> bool:
    for attribute in file.tree.attributes.get("__init__", ()):
        call = file.parent(attribute)
        if isinstance(call, cst.Call) and call.func is attribute and file.is_inside(call, method.body) and file.is_after(target, call):
            return True
    return False


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


def _obstacles_of_use(file: FileAnalysis, node: Node, dictionary: bool) -> Iterator[str]:
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
    elif isinstance(above, cst.AugAssign) and above.target is node and (dictionary or not isinstance(above.operator, cst.AddAssign)):
        yield f"`{container}` lacks this operator"
    elif isinstance(above, cst.Comparison) and any(isinstance(each.operator, (cst.Equal, cst.NotEqual)) for each in above.comparisons):
        yield f"a `{container}` equals no list"
    elif isinstance(above, cst.ComparisonTarget) and isinstance(above.operator, (cst.Equal, cst.NotEqual)):
        yield f"a `{container}` equals no list"
    elif isinstance(above, cst.Subscript) and _is_target(file, above) and any(isinstance(each.slice, cst.Slice) for each in above.slice):
        yield f"`{container}` lets no slice be replaced"
    elif isinstance(above, cst.Subscript) and above.value is node and any(isinstance(each.slice, cst.Slice) for each in above.slice):
        yield from _obstacles_of_use(file, above, dictionary)  # a slice of it is one, too
    elif isinstance(above, cst.Arg):
        call = file.parent(above)
        if isinstance(call, cst.Call) and called(file, call) in ("isinstance", "type"):
            yield f"a `{container}` is no list"


def _is_target(file: FileAnalysis, node: Node) -> bool:
    above = file.parent(node)
    return isinstance(above, cst.AssignTarget) or isinstance(above, (cst.AugAssign, cst.AnnAssign)) and above.target is node


def _escapes(file: FileAnalysis, node: Node) -> bool:
    """Whether the container itself goes somewhere: to a call that is not known, out of the method, to another name."""
    above = file.parent(node)
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        return isinstance(call, cst.Call) and not above.star and called(file, call) not in _READS
    if isinstance(above, cst.AnnAssign | cst.Assign):
        return above.value is node
    return isinstance(above, (cst.Return, cst.Yield, cst.Element, cst.DictElement, cst.NamedExpr, cst.BooleanOperation, cst.IfExp))


# -- keys ---------------------------------------------------------------------------------------------------------------


def _keys(held: HeldModules) -> Iterator[cst.BaseExpression]:
    for store in held.stores:
        yield from _written_keys(store)
    for node in held.appearances:
        above = held.file.parent(node)
        if isinstance(above, cst.Subscript) and held.stores and held.stores[0].shape == "dict" and len(above.slice) == 1:
            index = above.slice[0].slice
            if isinstance(index, cst.Index):
                yield index.value


def _written_keys(store: Store) -> Iterator[cst.BaseExpression]:
    if isinstance(store.value, cst.Dict):
        for entry in store.value.elements:
            if isinstance(entry, cst.DictElement):
                yield entry.key
    elif isinstance(store.value, cst.DictComp):
        yield store.value.key
    elif isinstance(store.value, cst.Call):
        for arg in store.value.args:
            if isinstance(arg.value, cst.List):
                pairs = [each.value for each in arg.value.elements]
                yield from (pair.elements[0].value for pair in pairs if isinstance(pair, cst.Tuple) and pair.elements)


def _keywords(held: HeldModules) -> Iterator[str]:
    """The keys of `dict(online=…, target=…)`."""
    for store in held.stores:
        if isinstance(store.value, cst.Call) and store.shape == "dict":
            yield from (arg.keyword.value for arg in store.value.args if arg.keyword is not None)


def _key_is_unsure(file: FileAnalysis, key: cst.BaseExpression) -> bool:
    above = file.parent(key)
    reads = isinstance(above, cst.Index) and not _is_target(file, file.parent(file.parent(above) or key) or key)
    return not isinstance(key, cst.SimpleString) and not reads


def _obstacles_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Iterator[str]:
    if isinstance(key, cst.SimpleString):
        text = str(key.evaluated_value)
        if not text or "." in text or text in MODULE_DICT_KEYS_TAKEN:
            yield f"`nn.ModuleDict` refuses the key {key.value}"
    elif _kind_of_key(file, key) not in (Kind.STRING, Kind.UNKNOWN):
        yield "the keys of `nn.ModuleDict` are strings"


def _kind_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Kind:
    kind = file.value(key).kind
    if kind is Kind.UNKNOWN and isinstance(key, cst.Name):
        kinds = {file.value(binding.node).kind for binding in file.names.bindings(key)}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN
    return kind
