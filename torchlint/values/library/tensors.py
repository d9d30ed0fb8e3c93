"""What the methods of tensors yield; an unknown receiver that is asked for one is treated alike."""

from __future__ import annotations

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.syntax.file import SourceFile
from torchlint.syntax.literals import literal
from torchlint.values.algebra import operate, pair, placed
from torchlint.values.arguments import Arguments
from torchlint.values.devices import device
from torchlint.values.flow import Flow
from torchlint.values.gradients import require
from torchlint.values.library.described import by_method
from torchlint.values.library.registry import Handlers, Method
from torchlint.values.value import Graph, Kind, Place, Value, number

METHODS = Handlers[Method]()


def moves_to(file: SourceFile, call: cst.Call, name: str, arguments: Arguments) -> Place | None:
    """Where `.to(...)` and its like put a tensor; None where they do not move it."""
    if name == "cpu":
        return Place.CPU
    if name in known.MOVES_TO_ACCELERATORS:
        return Place.ACCELERATOR
    if name != "to" or not call.args:
        return None
    target = arguments.get(0, "device")
    if target is None or target.kind is Kind.DTYPE:
        return None
    node = arguments.node("device") or (call.args[0].value if call.args[0].keyword is None else None)
    if node is None:
        return None
    if target.is_tensor:
        return target.place
    if target.kind in (Kind.DEVICE, Kind.STRING, Kind.NUMBER, Kind.NONE) or isinstance(node, cst.SimpleString):
        return placed(target, node)
    # an untyped `device` may be an accelerator; anything else that is unknown may be a dtype
    return Place.ACCELERATOR if device(file, node) is not None else None


def tensor_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    """A method of a tensor, or of an unknown value that has the same methods."""
    handler = METHODS.find(name) or _unheard_of
    return by_method(handler(flow, call, name, receiver, arguments), call, name, receiver, arguments)


def _unheard_of(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.is_tensor:
        return Value(graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call)
    return flow.opaque(call, arguments, receiver)


def _kind(receiver: Value, name: str) -> Kind:
    return Kind.TENSOR if receiver.is_tensor or name in known.TENSOR_EVIDENCE else Kind.UNKNOWN


@METHODS.rows(known.MOVES)
def _move(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    moved = moves_to(flow.file, call, name, arguments)
    if moved is None:
        return _operation(flow, call, name, receiver, arguments)
    if receiver.kind is Kind.UNKNOWN and not receiver.batch and isinstance(flow.file.parent(call), cst.Expr):
        receiver.place = moved  # what is moved and not given back is a module: tensors stay where they are
    return Value(
        receiver.kind,
        graph=receiver.graph,
        place=moved,
        sources=(receiver,),
        node=call,
        pure=True,
        scalar=receiver.scalar,
        elem=receiver.elem,
        batch=receiver.batch,
    )


@METHODS.rows(known.NUMBERS)
def _number(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return number(call)


@METHODS.named("tolist")
def _list(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return Value(Kind.LIST, graph=Graph.NO, place=Place.CPU, node=call, elem=number(call))


@METHODS.named("numpy")
def _array(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)


@METHODS.named("detach", "detach_")
def _detach(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    detached = Value(Kind.TENSOR, graph=Graph.NO, place=receiver.place, sources=(receiver,), node=call, scalar=receiver.scalar)
    place = flow.place(call.func.value) if name == "detach_" and isinstance(call.func, cst.Attribute) else None
    if place is not None:  # the variable itself has lost its graph
        flow.env.places[place] = detached
    return detached


@METHODS.named("requires_grad_")
def _requires_grad(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    require(receiver, literal(call.args[0].value) if call.args else True)
    return receiver


@METHODS.rows(known.PAIRS)
def _pair(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return pair(call, name, receiver, arguments)


@METHODS.rows(known.LISTS_OF_TENSORS)
def _parts(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    kind = Kind.TENSOR if receiver.is_tensor else Kind.UNKNOWN
    elem = Value(kind, graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call)
    return Value(Kind.TUPLE, graph=Graph.NO, node=call, elem=elem, sources=(receiver,))


@METHODS.rows(known.NAMED_IN_PLACE)
def _changed(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if not receiver.is_tensor:
        return _operation(flow, call, name, receiver, arguments)
    if any(each.has_graph for each in arguments.values) and receiver.graph is Graph.MAYBE:
        receiver.graph = Graph.YES
    return receiver


@METHODS.rows(known.WITHOUT_GRAPH)
def _without_graph(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    kind = _kind(receiver, name)
    return Value(kind, graph=Graph.NO, place=receiver.place, sources=(receiver, *arguments.values), node=call)


@METHODS.rows(known.OPERATIONS)
def _operation(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in known.WITHOUT_GRAPH:
        return _without_graph(flow, call, name, receiver, arguments)
    if name not in known.OPERATIONS and name not in known.MOVES:
        return _unheard_of(flow, call, name, receiver, arguments)
    result = operate(call, receiver, *arguments.values)
    scalar = name in known.REDUCTIONS and not call.args or name in known.CASTS and receiver.scalar
    return Value(
        _kind(receiver, name),
        graph=result.graph,
        place=receiver.place,
        sources=(receiver, *arguments.values),
        node=call,
        pure=True,
        scalar=scalar,
        batch=receiver.batch and all(each.batch or each.kind is not Kind.UNKNOWN for each in arguments.values),
    )
