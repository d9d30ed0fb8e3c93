"""Which memory a value lies in: what it was made of without a copy, as far as PyTorch's declarations and the expression that made it say.

A view shares its tensor's memory, a clone has its own, and `x.reshape(…)` or a call out of sight may do either. What is asked for here is
read off the values when it is asked for: the pass notes nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import libcst as cst

from torchlint.facts.modules import CHAIN
from torchlint.facts.operations import IN_PLACE_MODULES, TAKEN_AS_IT_IS, Operation, operation
from torchlint.facts.signatures import signatures
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind_any
from torchlint.values.flow import Analysis
from torchlint.values.value import Kind, Value

_ARRAYS = frozenset({Kind.TENSOR, Kind.NDARRAY})
_HOLDING = frozenset({Kind.LIST, Kind.TUPLE, Kind.DICT})
_PICKING = frozenset({Kind.TENSOR, Kind.NDARRAY, Kind.LIST})
"""Indices that pick elements one by one, for which a copy is made."""
_WHOLE = frozenset({"data", "T", "mT", "H", "mH"})
"""Attributes that show all of a tensor."""
_PART = frozenset({"real", "imag"})
_PARTS = frozenset(
    """select narrow split split_with_sizes chunk unbind unfold diagonal as_strided tensor_split hsplit vsplit dsplit slice
    indices values""".split()
)
"""Views that may leave out some of the elements."""
_OF_OTHERS = frozenset({"split", "values", "indices", "view"})
"""Views that are methods of strings, dictionaries or arrays too."""
_OF_A_MODULE = frozenset({"state_dict", "parameters", "named_parameters", "buffers", "named_buffers"})
_OWN = frozenset({"copy.deepcopy"})
_FAR = 100
"""Values looked at behind one."""


class Base(NamedTuple):
    """What a value was made of."""

    value: Value
    whole: bool
    """It shows all of that, not a part."""
    sure: bool
    """It surely lies in that memory, if it is a tensor at all; otherwise it may be a copy as well."""


def bases(file: Analysis, value: Value) -> Iterator[Base]:
    """What a value was directly made of without a copy, or may have been."""
    node = value.node
    if value.is_joined:
        yield from (Base(each, True, False) for each in value.sources)
    elif isinstance(node, cst.AugAssign):
        if value.sources:
            yield Base(value.sources[0], True, value.sources[0].kind in _ARRAYS)
    elif node is not None:
        find = _BASES.get(type(node))
        if find is not None:
            yield from find(file, value, node)


def _of_attribute(file: Analysis, value: Value, node: cst.Attribute) -> Iterator[Base]:
    name = node.attr.value
    if name in _WHOLE or name in _PART:
        yield from (Base(each, name in _WHOLE, each.is_tensor) for each in value.sources[:1])
    elif name != "grad" and node in file.tree.order:
        owner = file.value(node.value)
        if owner.kind is Kind.MODULE:
            yield Base(owner, False, value.is_tensor)
        else:
            yield from (Base(each, False, False) for each in value.sources)


def _of_part(file: Analysis, value: Value, node: Node) -> Iterator[Base]:
    """What an index, an iteration or a method like `pop` takes out of a container, or out of a tensor."""
    if not value.sources:
        loop = file.parent(node)
        if isinstance(loop, (cst.For, cst.CompFor)) and file.value(loop.iter).kind is Kind.PARAMETERS:
            yield Base(file.value(loop.iter), False, True)
        return
    if isinstance(node, cst.Subscript) and value.sources[0].kind in _ARRAYS and not _is_held(*value.sources[:2]):
        sure = _is_view(node, value.sources[1:])
        if sure is not False:
            yield Base(value.sources[0], False, sure is True)
        return
    *held, container = value.sources if len(value.sources) <= 2 else value.sources[:1]
    for each in held:  # it stands for one of several, which were made alike
        yield Base(each, True, False)
        yield from bases(file, each)
    yield Base(container, False, container.kind in _ARRAYS or container.kind in _HOLDING and bool(held))


def _is_held(value: Value, container: Value | None = None) -> bool:
    """Whether a value is what a container is known to hold."""
    held = (container.elem, *(container.items or ())) if container is not None and container.kind in _HOLDING else ()
    return any(each is value or each is not None and value.is_joined and each in value.sources for each in held)


def _is_view(node: cst.Subscript, given: tuple[Value, ...]) -> bool | None:
    """Whether an index yields a view, as numbers and slices do; a tensor or a list of numbers copies. None: that depends."""
    values = iter(given)
    sure: bool | None = True
    for each in node.slice:
        part = each.slice
        if isinstance(part, cst.Slice):
            for bound in (part.lower, part.upper, part.step):
                if bound is not None:
                    next(values, None)
            continue
        index, asked = next(values, None), part.value if isinstance(part, cst.Index) else None
        kind = index.kind if index is not None else Kind.UNKNOWN
        if kind in _PICKING or isinstance(literal(asked), bool):
            return False
        if kind not in (Kind.NUMBER, Kind.NONE) and not isinstance(asked, cst.Ellipsis):
            sure = None
    return sure


def _of_call(file: Analysis, value: Value, call: cst.Call) -> Iterator[Base]:
    if value.kind in (Kind.NUMBER, Kind.STRING, Kind.NONE):
        return
    path = file.qualname(call.func) if call in file.tree.order else None
    called = file.value(call.func) if call in file.tree.order else Value()
    given = [each for each in value.sources if each.kind is not Kind.MODULE]
    if path is not None and called.definition is None:
        yield from _of_function(file, value, call, path)
    elif writes_over_input(called):
        yield from (Base(each, True, True) for each in given[:1])
    elif called.kind is Kind.MODULE and called.cls is None and called.qualname is not None:
        if not _is_copied(operation(called.qualname)):
            yield from (Base(each, True, False) for each in given)
    elif isinstance(call.func, cst.Attribute) and called.definition is None and value.original is None:
        yield from _of_method(file, value, call, call.func)
    else:
        yield from (Base(each, True, False) for each in given)


def writes_over_input(module: Value) -> bool:
    """Whether a module of torch was built with `inplace=True`, or a chain of modules begins with one that was."""
    while module.qualname == CHAIN and module.cls is None and module.sources:
        module = module.sources[0]
    if module.cls is not None or module.qualname not in IN_PLACE_MODULES or not isinstance(module.node, cst.Call):
        return False
    return bind_any(module.node, signatures(module.qualname)).literal("inplace") is True


def _of_function(file: Analysis, value: Value, call: cst.Call, path: str) -> Iterator[Base]:
    written = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "out"), None)
    if written is not None:
        yield Base(file.value(written), True, True)
        return
    first = value.sources[0] if value.sources else file.value(call.args[0].value) if call.args else None
    if first is None or value.fresh or path in _OWN:
        return
    known = operation(path)
    inplace = any(arg.keyword is not None and arg.keyword.value == "inplace" and literal(arg.value) is True for arg in call.args)
    if path in TAKEN_AS_IT_IS or inplace or path.startswith("torch.") and path.endswith("_"):
        yield Base(first, True, True)
    elif known is not None and known.is_view:
        yield Base(first, known.name not in _PARTS, True)
    elif not _is_copied(known):
        yield from (Base(each, True, False) for each in value.sources or (first,))


def _of_method(file: Analysis, value: Value, call: cst.Call, func: cst.Attribute) -> Iterator[Base]:
    name = func.attr.value
    receiver = value.sources[0] if value.sources else file.value(func.value) if call in file.tree.order else None
    if receiver is None:
        return
    if receiver.kind is Kind.MODULE and name in _OF_A_MODULE:
        yield Base(receiver, False, True)
    elif receiver.kind in _HOLDING:
        yield from _of_part(file, value, call)
    elif receiver.kind in (Kind.TENSOR, Kind.NDARRAY, Kind.UNKNOWN):
        known = operation(f"torch.Tensor.{name}")
        if known is not None and known.is_view:
            yield Base(receiver, known.name not in _PARTS, receiver.is_tensor or name not in _OF_OTHERS)
        elif not _is_copied(known):
            yield from (Base(each, True, False) for each in value.sources or (receiver,))


def _is_copied(known: Operation | None) -> bool:
    return known is not None and known.copies


_BASES: dict[type[Node], Callable[..., Iterator[Base]]] = {
    cst.Attribute: _of_attribute,
    cst.Subscript: _of_part,
    cst.Name: _of_part,
    cst.Call: _of_call,
}


class Chains:
    """For each value the memory that it surely lies in: the values that it leads back to, and whether it shows all of them."""

    def __init__(self, file: Analysis) -> None:
        self._file = file
        self._known: dict[int, dict[int, tuple[Value, bool]]] = {}

    def of(self, value: Value) -> dict[int, tuple[Value, bool]]:
        """The value itself first, then what it was made of, nearest first, by identity."""
        known, begun, waiting = self._known, set[int](), [value]
        while waiting:
            current = waiting[-1]
            if id(current) not in known and id(current) not in begun and len(begun) < _FAR:
                begun.add(id(current))
                behind = current.sources if current.is_joined else (each.value for each in bases(self._file, current) if each.sure)
                waiting += [each for each in behind if id(each) not in known and id(each) not in begun]
                continue
            if id(current) not in known:
                known[id(current)] = self._made(current)
            waiting.pop()
        return known[id(value)]

    def _made(self, value: Value) -> dict[int, tuple[Value, bool]]:
        made = {id(value): (value, True)}
        if value.is_joined:  # whichever of them it is, it lies in what all of them lie in
            first, *others = (self._known.get(id(each), {}) for each in value.sources)
            for key, (each, whole) in first.items():
                if all(key in other for other in others):
                    made.setdefault(key, (each, whole and all(other[key][1] for other in others)))
            return made
        for base in bases(self._file, value):
            if base.sure and len(made) < _FAR:
                for key, (each, whole) in self._known.get(id(base.value), {}).items():
                    made.setdefault(key, (each, whole and base.whole))
        return made

    def meet(self, one: Value, other: Value) -> bool:
        """Whether two values surely have memory in common: one of them is all of something that the other one is made of."""
        mine, others = self.of(one), self.of(other)
        return any(key in others and (whole or others[key][1]) for key, (_, whole) in mine.items())


def behind(file: Analysis, value: Value) -> dict[int, Value]:
    """All values in whose memory a value may lie, itself included."""
    found: dict[int, Value] = {}
    stack = [value]
    while stack and len(found) < _FAR:
        each = stack.pop()
        if id(each) not in found:
            found[id(each)] = each
            stack += [base.value for base in bases(file, each)]
    return found
