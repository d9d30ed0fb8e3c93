"""Which operation made a value: followed back through names, views, layers, and what the project's own functions and modules return.

`loss(model(x), y)` tells nothing of what the loss is given; the last line of the model's `forward`, or the last layer of its
`nn.Sequential`, does. Where ways differ, all must end in the same operation; where one of them is out of sight, there is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import libcst as cst

from torchlint.facts.modules import CHAIN, PARALLEL_WRAPPERS
from torchlint.facts.operations import operation
from torchlint.facts.tensors import CASTS, KEEPING_DTYPE, VIEWS
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind, parameters_of
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Function, Kind, Value

RAW = frozenset(
    "linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split(),
)
"""What yields any number at all: neither probabilities nor their logarithms."""

BOUNDED = frozenset({"softmax", "sigmoid", "tanh"})
"""What yields numbers between -1 and 1."""
_TO_INTEGERS = frozenset("long int bool short byte char".split())
_GROWING = ("add_module", "register_module", "append", "extend", "insert", "pop", "__setitem__")
"""Methods after which a `Sequential` ends in another layer, or may."""
_OF_TENSORS = frozenset("softmax log_softmax sigmoid".split())
_DEEP = 16
_WIDE = 6


@dataclass(frozen=True, slots=True)
class Activation:
    """The operation that made a value, where it was found."""

    op: str
    """By the name of all its forms: `softmax`, `linear`."""
    file: FileAnalysis
    node: Node
    """The call; of the last layer of a `Sequential`, its construction."""
    value: Value
    """What the operation yields; of a layer of a `Sequential`, the layer."""
    is_local: bool = True
    """The function that was asked about calls it, on every way."""
    is_bare: bool = True
    """No view, cast or index lies between."""

    @property
    def is_layer(self) -> bool:
        return self.value.kind is Kind.MODULE

    @property
    def layer(self) -> Value | None:
        """The module that was called, where it was one whose construction is in sight."""
        module = self.value if self.is_layer else self.file.value(self.node.func) if isinstance(self.node, cst.Call) else None
        return module if module is not None and module.kind is Kind.MODULE and isinstance(module.node, cst.Call) else None


def activation(file: FileAnalysis, value: Value) -> Activation | None:
    """The operation that made a value; None where that is not positively known."""
    return _Walk({}).back(file, value, 0)


def unviewed(value: Value) -> Value:
    """The value whose elements this one has, in whatever shape or precision."""
    for _ in range(_DEEP):
        data = _data(value) if value.original is None and not value.is_joined and _is_same_elements(value) else None
        if data is None:
            break
        value = data
    return value


class _Walk:
    """One way back from a value; `given` holds what the functions on it were given, by the identity of their parameters."""

    def __init__(self, given: dict[int, tuple[FileAnalysis, Value]]) -> None:
        self.given = given

    def back(self, file: FileAnalysis, value: Value, depth: int) -> Activation | None:
        if depth > _DEEP:
            return None
        if value.is_joined:
            ways = [each for each in value.sources if each.kind is not Kind.NONE]
            return _agreed([self.back(file, each, depth + 1) for each in ways]) if len(ways) <= _WIDE else None
        if isinstance(value.node, cst.Param):
            return self._from_callers(file, value, depth)
        if value.node is None or value.node not in file.tree.order or _is_changed(file, value):
            return None
        if value.original is not None:
            return self._inside(file, value, depth)
        data = _data(value)
        if data is not None and _is_same_elements(value):
            found = self.back(file, data, depth + 1)
            return replace(found, is_bare=False) if found is not None else None
        if not isinstance(value.node, cst.Call) or _is_replaced(file, value.node.func):
            return None
        op = value.op or _by_method(file, value, value.node)
        if op is not None:
            return Activation(op, file, value.node, value)
        module = value.sources[0] if value.sources else None
        return self._of_module(file, module, depth + 1) if module is not None and module.kind is Kind.MODULE else None

    def _inside(self, file: FileAnalysis, value: Value, depth: int) -> Activation | None:
        """A call of the project's own function or module: what that returns."""
        assert value.node is not None and value.original is not None
        followed = file.flow(file.function(value.node)).followed.get(value.node) if isinstance(value.node, cst.Call) else None
        if followed is None:
            return None
        called = file.value(value.node.func) if isinstance(value.node, cst.Call) else value
        if called.kind is Kind.MODULE and isinstance(called.node, cst.Param) and _is_handed(file, called.node):
            return self._of_module(file, called, depth + 1)  # it may be one of several
        callee, given = followed
        assert isinstance(callee.file, FileAnalysis)
        self.given |= {key: (file, each) for key, each in given.items()}
        if callee.falls_through or _is_overridden(file, callee, value.node):
            return None
        found = self.back(callee.file, value.original, depth + 1)
        return replace(found, is_local=False) if found is not None else None

    def _from_callers(self, file: FileAnalysis, value: Value, depth: int) -> Activation | None:
        """A parameter: what the call on this way hands over, or what all callers of the function do."""
        known = self.given.get(id(value))
        if known is not None:
            found = self.back(*known, depth + 1)
            return replace(found, is_local=False) if found is not None else None
        handed = _handed(file, value.node) if isinstance(value.node, cst.Param) else []
        found = _agreed([self.back(file, file.value(each), depth + 1) for each in handed]) if 0 < len(handed) <= _WIDE else None
        return replace(found, is_local=False) if found is not None else None

    def _of_module(self, file: FileAnalysis, module: Value, depth: int) -> Activation | None:
        """What the last layer of a `Sequential` does."""
        if depth > _DEEP:
            return None
        if module.is_joined:
            ways = [each for each in module.sources if each.kind is not Kind.NONE]
            return _agreed([self._of_module(file, each, depth + 1) for each in ways]) if len(ways) <= _WIDE else None
        if isinstance(module.node, cst.Param):
            handed = _handed(file, module.node)
            return _agreed([self._of_module(file, file.value(each), depth + 1) for each in handed]) if len(handed) <= _WIDE else None
        if _is_wrapper(file, module):
            return self._of_module(file, module.sources[0], depth + 1)
        if module.cls is not None:
            forward = module.cls.method("forward")
            return self._returned(forward, depth) if forward is not None else None
        if module.node is None or module.node not in file.tree.order:
            return None
        if module.qualname == CHAIN:
            last = _last_layer(file, module)
            return self._of_module(file, last, depth + 1) if last is not None else None
        found = operation(module.qualname) if module.qualname is not None else None
        return Activation(found.name, file, module.node, module, is_local=False) if found is not None else None

    def _returned(self, function: Function, depth: int) -> Activation | None:
        assert isinstance(function.file, FileAnalysis)
        flow = function.file.flow_or_none(function.node)
        if flow is None or flow.returns is None or flow.falls_through:
            return None
        found = self.back(function.file, flow.returns, depth + 1)
        return replace(found, is_local=False) if found is not None else None


def _handed(file: FileAnalysis, parameter: cst.Param) -> list[cst.BaseExpression]:
    """What all callers of a function, or of a class, hand over for a parameter; nothing where another file may call it as well."""
    function = file.function(parameter) if parameter in file.tree.order else None
    if not isinstance(function, cst.FunctionDef):
        return []
    owner, named = file.owner(function), [*function.params.posonly_params, *function.params.params]
    called = owner.name if owner is not None else function.name.value
    if parameter not in named or file.is_named_elsewhere(called) and _is_imported(file):
        return []
    if owner is None:
        return file.arguments_for(function, parameter.name.value, named.index(parameter))
    calls = [call for call in file.nodes(cst.Call) if file.class_of(call.func) is owner] if function.name.value == "__init__" else []
    bound = [bind(call, parameters_of(function)[1:]) for call in calls]
    given = [each[parameter.name.value] for each in bound]
    return [] if owner in file.subclasses else [each for each in given if each is not None]


def _is_imported(file: FileAnalysis) -> bool:
    """Whether another file of the run imports this one, or from the package that it opens."""
    here = Path(file.path).absolute()
    name = here.parent.name if here.stem == "__init__" else here.stem
    return file.is_written_elsewhere(re.compile(rf"^[ \t]*(?:from|import)\b[^\n]*\b{re.escape(name)}\b", re.MULTILINE))


def _is_handed(file: FileAnalysis, parameter: cst.Param) -> bool:
    """Whether nothing but its callers says what a parameter is: it has no annotation, and is not the object itself."""
    return parameter.annotation is None and parameter.name.value != "self" and parameter in file.tree.order


def _is_wrapper(file: FileAnalysis, module: Value) -> bool:
    """`nn.DataParallel(net)`"""
    made = module.node
    is_one = isinstance(made, cst.Call) and made in file.tree.order and file.qualname(made.func) in PARALLEL_WRAPPERS
    return is_one and bool(module.sources) and module.sources[0].kind is Kind.MODULE


def _by_method(file: FileAnalysis, value: Value, call: cst.Call) -> str | None:
    """What a method of something unknown does: losses take nothing but tensors, and of these it has the method."""
    if value.kind is not Kind.UNKNOWN or not isinstance(call.func, cst.Attribute) or file.qualname(call.func) is not None:
        return None
    receiver, name = file.value(call.func.value), call.func.attr.value
    return name if name in _OF_TENSORS and receiver.kind is Kind.UNKNOWN and receiver.qualname is None else None


def _agreed(found: list[Activation | None]) -> Activation | None:
    first = found[0] if found else None
    if first is None or any(each is None or each.op != first.op for each in found):
        return None
    if len(found) == 1:
        return first
    is_one = all(each is not None and each.node is first.node and each.is_bare for each in found)
    return replace(first, is_local=False, is_bare=is_one)


def _data(value: Value) -> Value | None:
    """What a view, a cast or an index was taken of."""
    return next((each for each in value.sources if each.kind is not Kind.MODULE), None)


def _is_same_elements(value: Value) -> bool:
    """Whether a value has the elements of another, in whatever shape or precision."""
    if isinstance(value.node, cst.Subscript):
        return value.is_tensor
    call, op = value.node, value.op
    if op is None and value.kind is Kind.UNKNOWN and isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
        op = call.func.attr.value  # a method of a value that may be a tensor
    return op is not None and op not in _TO_INTEGERS and (op in CASTS or op in KEEPING_DTYPE or op in VIEWS)


def _is_changed(file: FileAnalysis, value: Value) -> bool:
    """Whether its elements are written to afterwards: `p.log_()`, `p[mask] = 0`."""
    assert value.node is not None
    events = file.flow(file.function(value.node)).events.values()
    return any(event.what is Happens.CHANGE and event.target is value for event in events)


def _last_layer(file: FileAnalysis, chain: Value) -> Value | None:
    """The layer of a `Sequential` that makes its output; those that only turn the shape are looked through."""
    layers = _layers(file, chain.node) if isinstance(chain.node, cst.Call) and not _grows(file, chain) else None
    for each in reversed(layers or ()):
        if each.kind is not Kind.MODULE or each.qualname is None and each.cls is None:
            return None
        if each.qualname not in ("torch.nn.Flatten", "torch.nn.Unflatten", "torch.nn.Identity"):
            return each
    return None


def _layers(file: FileAnalysis, made: cst.Call) -> list[Value] | None:
    """What a `Sequential` was made of, or a wrapper around one: layers one by one, or a list or `OrderedDict` that is spelt out."""
    found: list[Value] = []
    for arg in made.args:
        given = file.value(arg.value)
        if arg.star == "*" and given.kind is Kind.LIST and isinstance(given.node, cst.List):
            if len(given.sources) != len(given.node.elements) or not all(isinstance(each, cst.Element) for each in given.node.elements):
                return None  # some are put in later on
            found += given.sources
        elif not arg.star and file.qualname(made.func) == CHAIN and given.kind is Kind.DICT and isinstance(arg.value, cst.Call):
            pairs = file.value(arg.value.args[0].value) if len(arg.value.args) == 1 else given
            if pairs.kind is not Kind.LIST or any(each.items is None or len(each.items) != 2 for each in pairs.sources):
                return None
            found += [each.items[1] for each in pairs.sources if each.items]
        elif arg.star or arg.keyword is not None and arg.keyword.value not in ("module", "device_ids"):
            return None
        elif given.kind is Kind.MODULE or file.qualname(made.func) == CHAIN:
            found.append(given)
    return found


def _grows(file: FileAnalysis, chain: Value) -> bool:
    if any(isinstance(call.func, cst.Attribute) and file.value(call.func.value) is chain for call in file.methods(*_GROWING)):
        return True
    return any(file.value(each.value) is chain for each in _written(file))


def _written(file: FileAnalysis) -> Iterator[cst.Subscript]:
    """`net[2] = ...`"""
    targets = (each.target for each in file.nodes(cst.AssignTarget))
    yield from (each for each in targets if isinstance(each, cst.Subscript))


def _is_replaced(file: FileAnalysis, func: cst.BaseExpression) -> bool:
    """Whether the file puts something else under the name of a layer from outside: `net.fc = nn.Sequential(...)`."""
    if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name) or func.value.value != "self":
        return False
    named = (each for each in file.tree.attributes.get(func.attr.value, ()) if isinstance(file.parent(each), cst.AssignTarget))
    return any(not (isinstance(each.value, cst.Name) and each.value.value == "self") for each in named)


def _is_overridden(file: FileAnalysis, callee: Flow, call: Node) -> bool:
    """Whether `self(x)` in a class that others inherit from may be one of their methods."""
    name = callee.node.name.value if isinstance(callee.node, cst.FunctionDef) else None
    func = call.func if isinstance(call, cst.Call) else None
    head = func.value if isinstance(func, cst.Attribute) else func
    owner = callee.owner
    if name is None or not isinstance(owner, ClassModel) or not isinstance(head, cst.Name) or head.value != "self":
        return False
    return any(name in each.own_methods for each in (*owner.file.subclasses.get(owner, ()), *file.subclasses.get(owner, ())))
