"""What a method call yields and does, by what its receiver is known to be: tensors, modules, optimizers, containers.

An unknown receiver is not guessed at: its value stays unknown, but the calls on it are noted, since together they prove what it is.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from torchlint.facts import modules
from torchlint.facts import tensors as known
from torchlint.facts.classes import DISTRIBUTION, root
from torchlint.syntax.literals import literal, text
from torchlint.syntax.tree import descendants
from torchlint.values.algebra import element, operate, unpacked
from torchlint.values.arguments import Arguments
from torchlint.values.events import HANDED_ON, Happens
from torchlint.values.flow import Flow
from torchlint.values.following import clears, follow
from torchlint.values.library.registry import Handlers, Method
from torchlint.values.library.tensors import moves_to, tensor_method
from torchlint.values.library.training import effect, switch_mode
from torchlint.values.value import Function, Graph, Kind, Place, Value, join, number, other

_CONTAINERS = frozenset({Kind.LIST, Kind.DICT, Kind.UNKNOWN, Kind.TUPLE})


def evaluate(flow: Flow, call: cst.Call, func: cst.Attribute, receiver: Value, arguments: Arguments) -> Value:
    """The value of `receiver.name(...)`."""
    name = func.attr.value
    if receiver.cls is not None and receiver.kind in (Kind.OBJECT, Kind.MODULE, Kind.CLASS):
        found = receiver.cls.method(name)
        if found is not None and name == "forward" and receiver.kind is Kind.MODULE and flow.place(func.value) != "self":
            return flow.call(call, receiver, arguments)
        if found is not None:
            if name in ("train", "eval") and receiver.kind is Kind.MODULE and _goes_on(found, name):
                switch_mode(flow, call, receiver, arguments)
            target = Value(Kind.FUNCTION, definition=found, node=func)
            bound = None if receiver.kind is Kind.CLASS else receiver
            return follow(flow, call, target, arguments, bound=bound, place=flow.place(func.value))
        if receiver.kind is not Kind.CLASS and receiver.cls.assigns(name):
            return flow.call(call, flow.evaluate(func), arguments)
    held = flow.env.places.get(flow.place(func) or "")
    if held is not None and not (isinstance(held.node, cst.Attribute) and held.node.attr.value == name):  # set here, not just read before
        return flow.call(call, held, arguments)
    if receiver.kind is Kind.UNKNOWN:
        receiver.used(name)
    if name.startswith("register_") and "hook" in name:
        _hook(flow, receiver, arguments)
    handler = effect(name)
    if handler is not None:
        result = handler(flow, call, receiver, arguments)
        if result is not None:
            return result
    if receiver.kind in _CONTAINERS:
        result = _container(flow, call, name, receiver, arguments)
        if result is not None:
            return result
    by_kind = _BY_KIND.get(receiver.kind)
    if by_kind is not None:
        return by_kind(flow, call, name, receiver, arguments)
    return _unknown(flow, call, name, receiver, arguments)


def _goes_on(method: Function, name: str) -> bool:
    """Whether a method does what the inherited one does as well: `super().train(mode)`."""
    return any(
        isinstance(each, cst.Attribute)
        and each.attr.value == name
        and isinstance(each.value, cst.Call)
        and isinstance(each.value.func, cst.Name)
        and each.value.func.value == "super"
        for each in descendants(method.node)
    )


def _hook(flow: Flow, receiver: Value, arguments: Arguments) -> None:
    """A hook may clear at any time."""
    for given in arguments.values:
        if isinstance(given.definition, Function) and clears(flow, given.definition):
            receiver.uses |= {HANDED_ON}
            callee = flow.callee(given.definition)
            for event in callee.events.values() if callee is not None else ():
                if event.what is Happens.CLEAR and event.target is not None:
                    event.target.uses |= {HANDED_ON}


# -- containers ----------------------------------------------------------------------------------------------------------

_Maybe = Callable[[Flow, cst.Call, str, Value, Arguments], Value | None]
_FILLING = Handlers[_Maybe]()
"""What puts something into a container, or into what may be one. None where the call is something else."""
_READING = Handlers[_Maybe]()
"""What a container is asked for."""


def _container(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    fills = _FILLING.find(name)
    filled = fills(flow, call, name, receiver, arguments) if fills is not None else None
    if filled is not None or receiver.kind is Kind.UNKNOWN:
        return filled
    reads = _READING.find(name)
    return (reads(flow, call, name, receiver, arguments) if reads is not None else None) or other(call)


@_FILLING.named("append", "appendleft", "add")
def _append(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    if len(arguments.positional) != 1 or receiver.kind is Kind.UNKNOWN and name == "add":
        return None
    flow.store(call, receiver, arguments.positional[0])
    return other(call)


@_FILLING.named("insert")
def _insert(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    if len(arguments.positional) != 2:
        return None
    flow.store(call, receiver, arguments.positional[1])
    return other(call)


@_FILLING.named("extend", "extendleft")
def _extend(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    if len(arguments.positional) != 1:
        return None
    given = arguments.positional[0]
    if given.elem is not None or given.items:
        flow.store(call, receiver, element(given, call))
    return other(call)


@_FILLING.named("setdefault")
def _set_default(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    if len(arguments.positional) != 2:
        return None
    flow.store(call, receiver, arguments.positional[1])
    return arguments.positional[1]


@_READING.named("pop", "get", "popleft", "popitem")
def _take(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    key = text(call.args[0].value) if call.args and name in ("pop", "get") else None
    if key is not None and receiver.entries:
        part = receiver.entries[key] if key in receiver.entries else unpacked(receiver, call, is_alike=False)
    else:
        part = element(receiver, call)
    if name in ("pop", "get") and len(arguments.positional) == 2 and receiver.kind is Kind.DICT:
        return join(part, arguments.positional[1])
    return part


@_READING.named("values")
def _values(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=element(receiver, call), sources=(receiver,))


@_READING.named("items")
def _items(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    key = Value(Kind.STRING, graph=Graph.NO, node=call)
    pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(key, element(receiver, call)))
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(receiver,))


@_READING.named("copy")
def _copied(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    return Value(receiver.kind, graph=Graph.NO, node=call, elem=receiver.elem, entries=receiver.entries, sources=(receiver,))


# -- modules ---------------------------------------------------------------------------------------------------------------

_OF_MODULES = Handlers[Method]()


def _module_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    handler = _OF_MODULES.find(name)
    if handler is not None:
        return handler(flow, call, name, receiver, arguments)
    if receiver.cls is not None and not receiver.cls.is_open:
        return Value(node=call, graph=Graph.MAYBE, place=receiver.place, sources=(receiver, *arguments.values))
    result = flow.opaque(call, arguments, receiver)
    result.place = receiver.place
    return result


@_OF_MODULES.rows(known.MOVES)
def _module_moved(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    moved = moves_to(flow.file, call, name, arguments)
    if moved is not None:
        receiver.place = moved
    return receiver


@_OF_MODULES.named("apply")
def _applied(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if len(arguments.positional) == 1 and arguments.positional[0].kind is Kind.FUNCTION:
        flow.call(call, arguments.positional[0], Arguments(call, [receiver], {}, ()))
    return receiver


@_OF_MODULES.named("requires_grad_")
def _frozen(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    receiver.frozen = not flow.env.when and literal(arguments.at(0) or arguments.node("requires_grad")) is False
    return receiver


@_OF_MODULES.rows(modules.SELF_RETURNING_METHODS)
def _itself(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return receiver


@_OF_MODULES.named("parameters", "buffers")
def _parameters(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return Value(Kind.PARAMETERS, graph=Graph.NO, place=receiver.place, node=call, sources=(receiver,))


@_OF_MODULES.named("named_parameters")
def _named_parameters(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    parameter = Value(Kind.TENSOR, graph=Graph.YES, place=receiver.place, node=call, leaf=True)
    item = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(Value(Kind.STRING, node=call), parameter))
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=item, sources=(receiver,))


@_OF_MODULES.named("state_dict")
def _state_dict(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    part = Value(Kind.TENSOR, graph=Graph.NO, place=receiver.place, node=call)
    return Value(Kind.DICT, graph=Graph.NO, node=call, elem=part, sources=(receiver,))


@_OF_MODULES.named("forward", "__call__")
def _forward(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return flow.call(call, receiver, arguments)


@_OF_MODULES.named("modules", "children")
def _children(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return Value(Kind.LIST, node=call, elem=Value(Kind.MODULE, node=call))


@_OF_MODULES.rows(modules.QUERIES_OF_MODULES)
def _query(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return other(call)


# -- the other kinds -----------------------------------------------------------------------------------------------------


def _manager_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in modules.PREPARING_METHODS:
        for each in arguments.positional:
            if each.kind in (Kind.MODULE, Kind.LOADER, Kind.UNKNOWN):
                each.place = Place.ACCELERATOR
        if len(arguments.positional) == 1:
            return arguments.positional[0]
        return Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(arguments.positional))
    if name in modules.GATHERING_METHODS and arguments.positional:
        return arguments.positional[0]
    return other(call)


def _distribution_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.qualname is not None and root(receiver.qualname) == DISTRIBUTION:
        if name in known.DRAWS_OF_DISTRIBUTIONS:
            place = max((each.place for each in receiver.sources), default=Place.UNKNOWN)
            return Value(Kind.TENSOR, graph=Graph.NO, place=place, node=call, sources=(receiver,))
        if name in known.MEASURES_OF_DISTRIBUTIONS and (receiver.sources or arguments.values):
            result = operate(call, *receiver.sources, *arguments.values)
            return Value(Kind.TENSOR, graph=result.graph, place=result.place, node=call, sources=(receiver, *arguments.values))
    return _unknown(flow, call, name, receiver, arguments)


def _of_nothing(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return other(call)


def _optimizer_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name.startswith("register_step"):
        receiver.uses |= {name}  # a hook may clear after every step
    return other(call)


def _array_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in known.ARRAY_REDUCTIONS:
        return number(call)
    return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)


def _unknown(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.kind is Kind.UNKNOWN and not (receiver.qualname and receiver.node is None):
        if name in known.ASKED_OF_TENSORS:
            return tensor_method(flow, call, name, receiver, arguments)
        if name in ("values", "items", "get", "pop"):
            part = Value(sources=(receiver,), graph=receiver.graph, place=receiver.place, node=call)
            return join(part, arguments.positional[1]) if len(arguments.positional) == 2 else part
        if name in ("parameters",):
            return Value(Kind.PARAMETERS, graph=Graph.NO, node=call, sources=(receiver,))
    if receiver.kind is Kind.MODULE:  # proved by this very call
        return _module_method(flow, call, name, receiver, arguments)
    return flow.opaque(call, arguments, receiver)


_BY_KIND: dict[Kind, Method] = {
    Kind.TENSOR: tensor_method,
    Kind.MODULE: _module_method,
    Kind.MANAGER: _manager_method,
    Kind.OBJECT: _distribution_method,
    Kind.STRING: _of_nothing,
    Kind.NUMBER: _of_nothing,
    Kind.OTHER: _of_nothing,
    Kind.NDARRAY: _array_method,
    Kind.OPTIMIZER: _optimizer_method,
    Kind.SCHEDULER: _of_nothing,
    Kind.SCALER: _of_nothing,
    Kind.NONE: _of_nothing,
}
