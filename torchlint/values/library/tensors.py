"""What the methods of tensors yield; an unknown receiver that is asked for one is treated alike."""

from __future__ import annotations

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.syntax.file import SourceFile
from torchlint.values.algebra import operate, pair, placed
from torchlint.values.arguments import Arguments
from torchlint.values.devices import device
from torchlint.values.flow import Flow
from torchlint.values.value import Graph, Kind, Place, Value, number

MOVES = frozenset("to cuda cpu xpu mps half float double bfloat16 type".split())


def moves_to(file: SourceFile, call: cst.Call, name: str, arguments: Arguments) -> Place | None:
    """Where `.to(...)` and its like put a tensor; None where they do not move it."""
    if name == "cpu":
        return Place.CPU
    if name in ("cuda", "xpu", "mps"):
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
    moved = moves_to(flow.file, call, name, arguments) if name in MOVES else None
    if moved is not None:
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
    if name in known.NUMBERS:
        return number(call)
    if name == "tolist":
        return Value(Kind.LIST, graph=Graph.NO, place=Place.CPU, node=call, elem=number(call))
    if name == "numpy":
        return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)
    kind = Kind.TENSOR if receiver.is_tensor or name in known.TENSOR_EVIDENCE else Kind.UNKNOWN
    if name in ("detach", "detach_"):
        detached = Value(Kind.TENSOR, graph=Graph.NO, place=receiver.place, sources=(receiver,), node=call, scalar=receiver.scalar)
        place = flow.place(call.func.value) if name == "detach_" and isinstance(call.func, cst.Attribute) else None
        if place is not None:  # the variable itself has lost its graph
            flow.env.places[place] = detached
        return detached
    if name == "requires_grad_":
        literal = call.args[0].value if call.args else None
        off = isinstance(literal, cst.Name) and literal.value == "False"
        receiver.leaf = receiver.leaf or not off and receiver.is_tensor and receiver.graph is not Graph.YES
        receiver.graph = Graph.NO if off else Graph.YES if receiver.is_tensor else receiver.graph
        return receiver
    if name in known.PAIRS:
        return pair(call, name, receiver, arguments)
    if name in known.LISTS_OF_TENSORS:
        elem = Value(
            Kind.TENSOR if receiver.is_tensor else Kind.UNKNOWN, graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call
        )
        return Value(Kind.TUPLE, graph=Graph.NO, node=call, elem=elem, sources=(receiver,))
    if name.endswith("_") and not name.endswith("__") and receiver.is_tensor:
        if any(each.has_graph for each in arguments.values) and receiver.graph is Graph.MAYBE:
            receiver.graph = Graph.YES
        return receiver
    if name in known.WITHOUT_GRAPH:
        return Value(kind, graph=Graph.NO, place=receiver.place, sources=(receiver, *arguments.values), node=call)
    if name in known.OPERATIONS or name in MOVES:
        result = operate(call, receiver, *arguments.values)
        scalar = name in known.REDUCTIONS and not call.args or name in known.CASTS and receiver.scalar
        return Value(
            kind,
            graph=result.graph,
            place=receiver.place,
            sources=(receiver, *arguments.values),
            node=call,
            pure=True,
            scalar=scalar,
            batch=receiver.batch and all(each.batch or each.kind is not Kind.UNKNOWN for each in arguments.values),
        )
    if receiver.is_tensor:
        return Value(graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call)
    return flow.opaque(call, arguments, receiver)
