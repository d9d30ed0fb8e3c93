"""What calling a module yields."""

from __future__ import annotations

import libcst as cst

from torchlint.facts import modules
from torchlint.values.algebra import operate, whereabouts
from torchlint.values.arguments import Arguments
from torchlint.values.flow import Flow, calls
from torchlint.values.following import forward
from torchlint.values.library.described import by_module
from torchlint.values.value import Graph, Kind, Place, Value


@calls(Kind.MODULE)
def module_call(flow: Flow, call: cst.Call, module: Value, arguments: Arguments) -> Value:
    """The output of a module: it carries a graph when the module has weights or an input carries one."""
    return by_module(_output(flow, call, module, arguments), call, module)


def _output(flow: Flow, call: cst.Call, module: Value, arguments: Arguments) -> Value:
    values = arguments.values
    name = module.qualname or ""
    place = max((whereabouts(each) for each in (*values, module)), default=Place.UNKNOWN)
    if any(each.place is Place.CPU for each in values) and module.place is not Place.ACCELERATOR and place is not Place.ACCELERATOR:
        place = Place.CPU
    computed = operate(call, *values) if values else Value(graph=Graph.NO)
    if name in modules.LOSS_MODULES:
        return Value(Kind.TENSOR, graph=computed.graph, place=place, sources=values, node=call, pure=True, scalar=module.scalar)
    if name in modules.STATELESS_MODULES:
        return Value(Kind.TENSOR, graph=computed.graph, place=place, sources=values, node=call, pure=True)
    if module.definition is not None:
        return forward(flow, call, module, arguments, place)
    if name in modules.TUPLE_MODULES:
        return _two(call, name, arguments, place, graph=Graph.NO if flow.env.grad is False else Graph.YES)
    kind = Kind.TENSOR if name in modules.TENSOR_MODULES else Kind.UNKNOWN
    graph = Graph.NO if flow.env.grad is False else computed.graph if module.frozen else Graph.YES
    return Value(kind, graph=graph, place=place, sources=(module, *values), node=call)


def _two(call: cst.Call, name: str, arguments: Arguments, place: Place, graph: Graph) -> Value:
    """What recurrent and attention layers return."""

    def part(kind: Kind, items: tuple[Value, ...] | None = None) -> Value:
        return Value(kind, graph=graph, place=place, sources=items or arguments.values, node=call, items=items)

    first, second = part(Kind.TENSOR), part(Kind.TENSOR)
    if name in modules.RECURRENT_MODULES:
        given = arguments.get(0, "input")
        first = part(Kind.TENSOR if given is not None and given.is_tensor else Kind.UNKNOWN)
    if name in modules.MODULES_WITH_TWO_STATES:
        second = part(Kind.TUPLE, (second, part(Kind.TENSOR)))
    second.optional = name in modules.MODULES_THAT_MAY_LEAVE_OUT
    return part(Kind.TUPLE, (first, second))
