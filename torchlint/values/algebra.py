"""What attributes, elements and arithmetic make of values: pure functions of values, without a file or a place in a program."""

from __future__ import annotations

import libcst as cst

from torchlint.facts.modules import MODULES_OF_MODULES, PARAMETERS_OF_LAYERS
from torchlint.facts.tensors import OUTPUT_FIELDS, PLAIN_ATTRIBUTES, TENSOR_ATTRIBUTES
from torchlint.syntax.literals import spelled_out
from torchlint.syntax.tree import Node
from torchlint.values.arguments import Arguments
from torchlint.values.value import Graph, Kind, Place, Value, join, number, other

_PLAIN = frozenset({Kind.NUMBER, Kind.STRING, Kind.NONE, Kind.OTHER, Kind.DTYPE, Kind.DEVICE, Kind.NDARRAY})


def member(base: Value, name: str, node: Node) -> Value:
    """An attribute of a value whose class is not the project's own."""
    if name == "device":  # a tensor's is wherever the tensor is; any other may be an accelerator
        place = base.place if base.is_tensor or base.batch else Place.ACCELERATOR
        return Value(Kind.DEVICE, graph=Graph.NO, place=place, node=node)
    if name == "dtype":
        return Value(Kind.DTYPE, graph=Graph.NO, node=node)
    if name in PLAIN_ATTRIBUTES:
        return number(node)
    if name == "shape":
        return Value(Kind.TUPLE, graph=Graph.NO, node=node, elem=number(node))
    if base.is_tensor:
        if name == "data":
            return Value(Kind.TENSOR, graph=Graph.NO, place=base.place, sources=(base,), node=node, scalar=base.scalar)
        if name == "grad":
            return Value(Kind.TENSOR, graph=Graph.NO, place=base.place, node=node)
        if name in TENSOR_ATTRIBUTES:
            return Value(Kind.TENSOR, graph=base.graph, place=base.place, sources=(base,), node=node, pure=True)
    if base.kind is Kind.MODULE:
        if name in PARAMETERS_OF_LAYERS:
            return Value(Kind.TENSOR, graph=Graph.YES, place=base.place, node=node, leaf=True)
        if name == "module":  # what DataParallel and DistributedDataParallel wrap
            return Value(Kind.MODULE, place=base.place, node=node, definition=base.definition, qualname=base.qualname)
        return Value(node=node, place=base.place, sources=(base,))
    if base.kind in _PLAIN:
        return other(node)
    if name == "data" and base.has_graph:
        return Value(graph=Graph.NO, place=base.place, sources=(base,), node=node)
    if base.graph is Graph.YES or base.sources or base.place is not Place.UNKNOWN:
        # a part of a model's output carries the output's graph, whatever the output is made of
        part = Value(graph=base.graph if base.kind is Kind.UNKNOWN else Graph.MAYBE, place=base.place, sources=(base,), node=node)
        part.part = name not in OUTPUT_FIELDS
        return part
    return Value(node=node, sources=(base,))


def unpacked(container: Value, node: Node, *, is_alike: bool = True) -> Value:
    """What unpacking a value, or asking it for an entry, yields: an unknown value is no stream of data for that.

    `is_alike`: False for an entry of which nothing is known, beside others that have names as well.
    """
    part = element(container, node) if is_alike else _unheard_of(container, node)
    if container.kind is Kind.UNKNOWN and part.sources == (container,):
        part.batch, part.pure, part.part = container.batch, True, True
    return part


def element(container: Value, node: Node) -> Value:
    """What iterating over a value yields."""
    held: Value | None = container.elem
    for each in container.items or ():
        held = each if held is None else join(held, each)
    if held is not None:
        # what was put into something that came from elsewhere says little of what else is in it
        is_doubtful = held.kind is Kind.TENSOR and (container.kind is Kind.UNKNOWN or isinstance(container.node, cst.Param))
        if held.kind not in (Kind.TENSOR, Kind.UNKNOWN) or held.graph is Graph.NO and not is_doubtful:
            return held
        # what backward reaches through an element, it reaches through the container
        reached = Value(
            held.kind,
            graph=held.graph,
            place=held.place,
            sources=(held, container),
            node=node,
            pure=True,
            scalar=held.scalar,
            batch=held.batch,
            leaf=held.leaf,
        )
        reached.optional = held.optional or is_doubtful and held.graph is Graph.NO
        return reached
    if container.kind is Kind.TENSOR:
        return Value(Kind.TENSOR, graph=container.graph, place=container.place, sources=(container,), node=node, pure=True)
    if container.kind is Kind.PARAMETERS:
        return Value(Kind.TENSOR, graph=Graph.YES, place=container.place, node=node, leaf=True)
    if container.kind is Kind.LOADER:
        return Value(graph=Graph.NO, place=container.place, sources=(container,), node=node, batch=True)
    if container.kind is Kind.MODULE:
        return Value(Kind.MODULE if container.qualname in MODULES_OF_MODULES else Kind.UNKNOWN, place=container.place, node=node)
    if container.kind in _PLAIN:
        return other(node)
    return _unheard_of(container, node)


def _unheard_of(container: Value, node: Node) -> Value:
    return Value(graph=container.graph, place=container.place, sources=(container,), node=node, batch=not container.has_graph)


def whereabouts(value: Value) -> Place:
    """Where a value lives, or one of the parts that it holds."""
    parts = (*(value.items or ()), *((value.elem,) if value.elem is not None else ()))
    return max(value.place, *(each.place for each in parts)) if parts else value.place


def entered(value: Value) -> Value:
    """What `with value as name` binds."""
    return value if value.kind in (Kind.LOADER, Kind.MODULE, Kind.LIST) else Value(sources=(value,), graph=Graph.MAYBE)


def grad_mode(value: Value) -> bool | None:
    """Whether gradients are recorded inside a region that this value guards; None where it depends."""
    return {Graph.NO: False, Graph.YES: True, Graph.MAYBE: None}[value.graph]


def operate(node: Node, *operands: Value) -> Value:
    """An arithmetic operation: a tensor when an operand is one, with a graph when an operand has one."""
    tensors = [each for each in operands if each.is_tensor]
    known = all(each.kind in (Kind.TENSOR, Kind.NUMBER) for each in operands)
    graph = Graph.YES if any(each.has_graph for each in operands) else Graph.MAYBE
    if all(each.graph is Graph.NO for each in operands):
        graph = Graph.NO
    place = max(each.place for each in operands)
    if tensors:
        return Value(
            Kind.TENSOR,
            graph=graph,
            place=place,
            sources=operands,
            node=node,
            pure=True,
            scalar=known and all(each.scalar for each in tensors),
        )
    if all(each.kind is Kind.NUMBER for each in operands):
        return number(node)
    if any(each.kind is Kind.NDARRAY for each in operands) and graph is not Graph.YES:
        return Value(Kind.NDARRAY, graph=Graph.NO, node=node, sources=operands)
    kinds = {each.kind for each in operands}
    if kinds <= {Kind.LIST, Kind.TUPLE, Kind.NUMBER} and kinds & {Kind.LIST, Kind.TUPLE}:
        elem: Value | None = None
        for each in operands:
            if each.kind is not Kind.NUMBER and (each.elem is not None or each.items):
                elem = element(each, node) if elem is None else join(elem, element(each, node))
        return Value(Kind.LIST if Kind.LIST in kinds else Kind.TUPLE, graph=Graph.NO, node=node, elem=elem, sources=operands)
    if Kind.STRING in kinds:
        return other(node)
    return Value(graph=graph, place=place, sources=operands, node=node, pure=True)


def pair(call: cst.Call, name: str, tensor: Value, arguments: Arguments, offset: int = 0) -> Value:
    """`max(dim)` and its like: values with the tensor's graph, and indices without one."""
    given = len(arguments.positional) > offset or bool(arguments.keywords)
    second = arguments.positional[offset] if len(arguments.positional) > offset else None
    kind = Kind.TENSOR if tensor.is_tensor else Kind.UNKNOWN
    picked = Value(kind, graph=tensor.graph, place=tensor.place, sources=(tensor,), node=call, pure=True)
    if name not in ("sort", "topk") and (not given or second is not None and second.is_tensor):
        picked.scalar = not given
        return picked
    indices = Value(kind, graph=Graph.NO, place=tensor.place, sources=(tensor,), node=call)
    return Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(picked, indices), sources=(tensor,))


def placed(device: Value, node: Node | None) -> Place:
    """Where something goes that is given this device."""
    if not isinstance(node, cst.SimpleString) and device.kind is Kind.STRING:
        node = device.node  # a name that holds the text
    if isinstance(node, cst.SimpleString):
        return Place.CPU if str(spelled_out(node.value)).partition(":")[0] in ("cpu", "meta") else Place.ACCELERATOR
    if device.kind is Kind.DEVICE:
        return device.place
    if device.kind is Kind.NONE:
        return Place.CPU
    return Place.ACCELERATOR
