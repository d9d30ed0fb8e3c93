"""Calls of Python's own functions."""

from __future__ import annotations

import libcst as cst

from torchlint.values.algebra import element, operate
from torchlint.values.arguments import Arguments
from torchlint.values.events import HANDED_ON, Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Function, Graph, Kind, Value, join, number, other

_WITHOUT_VALUE = frozenset("print isinstance hasattr open callable setattr vars dir any all exit delattr slice".split())


def _named(call: cst.Call) -> object:
    """The attribute's name in `setattr(p, "grad", …)`."""
    named = call.args[1].value if len(call.args) > 1 else None
    return named.evaluated_value if isinstance(named, cst.SimpleString) else None


def call_builtin(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first = arguments.positional[0] if arguments.positional else None
    if name in ("float", "int", "len", "bool", "round", "abs", "pow", "divmod", "hash", "id", "ord") and name not in (
        "abs",
        "round",
        "pow",
    ):
        return number(call)
    if name in ("str", "repr", "format", "chr", "input", "type"):
        return Value(Kind.STRING, graph=Graph.NO, node=call)
    if first is None:
        kinds = {"list": Kind.LIST, "dict": Kind.DICT, "tuple": Kind.TUPLE, "set": Kind.LIST, "super": Kind.UNKNOWN}
        kind = kinds.get(name, Kind.OTHER)
        return Value(
            kind,
            graph=Graph.NO,
            node=call,
            elem=None if not arguments.keywords or kind is not Kind.DICT else next(iter(arguments.keywords.values())),
            entries=dict(arguments.keywords) if kind is Kind.DICT and not arguments.spread else None,
        )
    if name in ("list", "tuple", "set", "sorted", "reversed", "iter", "filter", "frozenset"):
        source = arguments.positional[1] if name == "filter" and len(arguments.positional) > 1 else first
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=element(source, call), sources=(source,))
    if name == "dict":
        return Value(Kind.DICT, graph=Graph.NO, node=call, elem=first.elem, sources=(first,))
    if name == "enumerate":
        pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(number(call), element(first, call)))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(first,))
    if name == "zip":
        row = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(element(each, call) for each in arguments.positional))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=row, sources=arguments.values)
    if name == "range":
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=number(call))
    if name == "next":
        return element(first, call) if len(arguments.positional) == 1 else join(element(first, call), arguments.positional[1])
    if name in ("sum", "min", "max"):
        parts = (element(first, call),) if len(arguments.positional) == 1 or name == "sum" else tuple(arguments.positional)
        result = operate(call, *parts)
        reduced = Value(
            result.kind,
            graph=result.graph,
            place=result.place,
            sources=arguments.values,
            node=call,
            pure=True,
            scalar=all(each.scalar for each in parts),
        )
        empty = name == "sum" and not (isinstance(first.node, (cst.List, cst.Tuple)) and first.node.elements)  # sum([]) is 0
        reduced.optional = empty or name != "sum" and len(parts) > 1 and not all(each.is_tensor for each in parts)  # max(loss - 1, 0)
        return reduced
    if name in ("abs", "round", "pow"):
        return operate(call, first)
    if name == "map" and isinstance(first.definition, Function):
        callee = flow.callee(first.definition)
        if callee is not None and any(event.what is Happens.CLEAR for event in callee.events.values()):
            flow.happen(Happens.CLEAR, call)
    if name == "setattr" and _named(call) == "grad":
        flow.happen(Happens.CLEAR, call)
    if name == "getattr" and _named(call) == "zero_grad":
        first.uses.add(HANDED_ON)
    if name in _WITHOUT_VALUE:
        return other(call)
    return flow.opaque(call, arguments)
