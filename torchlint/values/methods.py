"""What a method call yields and does, by what its receiver is known to be: tensors, modules, optimizers, containers.

An unknown receiver is not guessed at: its value stays unknown, but the calls on it are noted, since together they prove what it is.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.syntax.literals import literal
from torchlint.values.algebra import element, operate
from torchlint.values.arguments import Arguments
from torchlint.values.events import HANDED_ON, Happens
from torchlint.values.flow import Flow
from torchlint.values.following import clears, follow
from torchlint.values.library.tensors import MOVES, moves_to, tensor_method
from torchlint.values.library.training import effect
from torchlint.values.value import Function, Graph, Kind, Place, Value, join, number, other

_CONTAINERS = frozenset({Kind.LIST, Kind.DICT, Kind.UNKNOWN, Kind.TUPLE})
_SELF_RETURNING = frozenset("train eval requires_grad_ apply share_memory zero_grad_".split())


def evaluate(flow: Flow, call: cst.Call, func: cst.Attribute, receiver: Value, arguments: Arguments) -> Value:
    """The value of `receiver.name(...)`."""
    name = func.attr.value
    if receiver.cls is not None and receiver.kind in (Kind.OBJECT, Kind.MODULE, Kind.CLASS):
        found = receiver.cls.method(name)
        if found is not None:
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


def _hook(flow: Flow, receiver: Value, arguments: Arguments) -> None:
    """A hook may clear at any time."""
    for given in arguments.values:
        if isinstance(given.definition, Function) and clears(flow, given.definition):
            receiver.uses.add(HANDED_ON)
            callee = flow.callee(given.definition)
            for event in callee.events.values() if callee is not None else ():
                if event.what is Happens.CLEAR and event.target is not None:
                    event.target.uses.add(HANDED_ON)


# -- containers ----------------------------------------------------------------------------------------------------------


def _container(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.positional
    if name in ("append", "appendleft", "add") and len(given) == 1:
        if receiver.kind is Kind.UNKNOWN and name == "add":
            return None
        flow.store(call, receiver, given[0])
        return other(call)
    if name == "insert" and len(given) == 2:
        flow.store(call, receiver, given[1])
        return other(call)
    if name in ("extend", "extendleft") and len(given) == 1:
        if given[0].elem is not None or given[0].items:
            flow.store(call, receiver, element(given[0], call))
        return other(call)
    if name == "setdefault" and len(given) == 2:
        flow.store(call, receiver, given[1])
        return given[1]
    if receiver.kind is Kind.UNKNOWN:
        return None
    if name in ("pop", "get") and len(given) == 2 and receiver.kind is Kind.DICT:
        return join(element(receiver, call), given[1])
    if name in ("pop", "popleft", "get", "popitem"):
        return element(receiver, call)
    if name == "values":
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=element(receiver, call), sources=(receiver,))
    if name == "items":
        key = Value(Kind.STRING, graph=Graph.NO, node=call)
        pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(key, element(receiver, call)))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(receiver,))
    if name == "copy":
        return Value(receiver.kind, graph=Graph.NO, node=call, elem=receiver.elem, entries=receiver.entries, sources=(receiver,))
    return other(call)


# -- the other kinds -----------------------------------------------------------------------------------------------------


def _module_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in MOVES:
        moved = moves_to(flow.file, call, name, arguments)
        if moved is not None:
            receiver.place = moved
        return receiver
    if name == "apply" and len(arguments.positional) == 1 and arguments.positional[0].kind is Kind.FUNCTION:
        flow.call(call, arguments.positional[0], Arguments(call, [receiver], {}, ()))
    if name == "requires_grad_":
        receiver.frozen = not flow.env.when and literal(arguments.at(0) or arguments.node("requires_grad")) is False
    if name in _SELF_RETURNING:
        return receiver
    if name in ("parameters", "named_parameters", "buffers"):
        if name == "named_parameters":
            item = Value(
                Kind.TUPLE,
                graph=Graph.NO,
                node=call,
                items=(Value(Kind.STRING, node=call), Value(Kind.TENSOR, graph=Graph.YES, place=receiver.place, node=call, leaf=True)),
            )
            return Value(Kind.LIST, graph=Graph.NO, node=call, elem=item, sources=(receiver,))
        return Value(Kind.PARAMETERS, graph=Graph.NO, place=receiver.place, node=call, sources=(receiver,))
    if name in ("forward", "__call__"):
        return flow.call(call, receiver, arguments)
    if name in (
        "state_dict",
        "named_modules",
        "modules",
        "children",
        "named_children",
        "load_state_dict",
        "append",
        "extend",
        "insert",
        "add_module",
        "items",
        "keys",
        "register_buffer",
    ):
        return other(call) if name not in ("modules", "children") else Value(Kind.LIST, node=call, elem=Value(Kind.MODULE, node=call))
    if receiver.cls is not None and not receiver.cls.is_open:
        return Value(node=call, graph=Graph.MAYBE, place=receiver.place, sources=(receiver, *arguments.values))
    result = flow.opaque(call, arguments, receiver)
    result.place = receiver.place
    return result


def _manager_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in ("prepare", "setup", "setup_module", "setup_dataloaders", "prepare_model", "setup_optimizers"):
        for each in arguments.positional:
            if each.kind in (Kind.MODULE, Kind.LOADER, Kind.UNKNOWN):
                each.place = Place.ACCELERATOR
        if len(arguments.positional) == 1:
            return arguments.positional[0]
        return Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(arguments.positional))
    if name in ("gather", "gather_for_metrics", "reduce", "pad_across_processes") and arguments.positional:
        return arguments.positional[0]
    return other(call)


def _distribution_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.qualname is not None and receiver.qualname.startswith("torch.distributions."):
        if name == "sample":
            place = max((each.place for each in receiver.sources), default=Place.UNKNOWN)
            return Value(Kind.TENSOR, graph=Graph.NO, place=place, node=call, sources=(receiver,))
        if name in ("rsample", "log_prob", "entropy", "cdf", "icdf"):
            result = operate(call, *receiver.sources, *arguments.values)
            return Value(Kind.TENSOR, graph=result.graph, place=result.place, node=call, sources=(receiver, *arguments.values))
    return _unknown(flow, call, name, receiver, arguments)


def _of_nothing(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return other(call)


def _optimizer_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name.startswith("register_step"):
        receiver.uses.add(name)  # a hook may clear after every step
    return other(call)


def _array_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return (
        number(call)
        if name in ("item", "mean", "sum", "max", "min", "std")
        else Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)
    )


def _unknown(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.kind is Kind.UNKNOWN and not (receiver.qualname and receiver.node is None):
        if (
            name in known.NUMBERS
            or name in known.OPERATIONS
            or name in MOVES
            or name in known.TENSOR_EVIDENCE
            or name in ("tolist", "numpy", "max", "min", "topk")
        ):
            return tensor_method(flow, call, name, receiver, arguments)
        if name in ("values", "items", "get", "pop"):
            part = Value(sources=(receiver,), graph=receiver.graph, place=receiver.place, node=call)
            return join(part, arguments.positional[1]) if len(arguments.positional) == 2 else part
        if name in ("parameters",):
            return Value(Kind.PARAMETERS, graph=Graph.NO, node=call, sources=(receiver,))
    if receiver.kind is Kind.MODULE:  # proved by this very call
        return _module_method(flow, call, name, receiver, arguments)
    return flow.opaque(call, arguments, receiver)


_BY_KIND: dict[Kind, Callable[[Flow, cst.Call, str, Value, Arguments], Value]] = {
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
