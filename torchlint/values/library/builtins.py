"""Calls of Python's own functions."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.literals import spelled_out
from torchlint.values.algebra import element, operate
from torchlint.values.arguments import Arguments
from torchlint.values.events import HANDED_ON, Happens
from torchlint.values.flow import Flow
from torchlint.values.library.registry import Handlers, Maker
from torchlint.values.value import Function, Graph, Kind, Value, join, number, other

BUILTINS = Handlers[Maker]()
_EMPTY = {"list": Kind.LIST, "dict": Kind.DICT, "tuple": Kind.TUPLE, "set": Kind.LIST, "super": Kind.UNKNOWN}


def call_builtin(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    handler = BUILTINS.find(name)
    if name not in _PLAIN and not arguments.positional:
        return _without_arguments(flow, call, name, arguments)
    return handler(flow, call, name, arguments) if handler is not None else flow.opaque(call, arguments)


def _without_arguments(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    """`list()`, `dict(loss=loss)`, `super()`"""
    kind = _EMPTY.get(name, Kind.OTHER)
    given = arguments.keywords if kind is Kind.DICT else {}
    return Value(
        kind,
        graph=Graph.NO,
        node=call,
        elem=next(iter(given.values()), None),
        entries=dict(given) if kind is Kind.DICT and not arguments.spread else None,
    )


@BUILTINS.named("float", "int", "len", "bool", "divmod", "hash", "id", "ord")
def _number(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    return number(call)


@BUILTINS.named("str", "repr", "format", "chr", "input", "type")
def _text(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    return Value(Kind.STRING, graph=Graph.NO, node=call)


_PLAIN = frozenset("float int len bool divmod hash id ord str repr format chr input type".split())
"""What yields a number or a text, whatever it is given."""


@BUILTINS.named("list", "tuple", "set", "sorted", "reversed", "iter", "filter", "frozenset")
def _sequence(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    source = arguments.positional[1] if name == "filter" and len(arguments.positional) > 1 else arguments.positional[0]
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=element(source, call), sources=(source,))


@BUILTINS.named("dict")
def _dict(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first = arguments.positional[0]
    return Value(Kind.DICT, graph=Graph.NO, node=call, elem=first.elem, sources=(first,))


@BUILTINS.named("enumerate")
def _enumerate(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first = arguments.positional[0]
    pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(number(call), element(first, call)))
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(first,))


@BUILTINS.named("zip")
def _zip(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    row = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(element(each, call) for each in arguments.positional))
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=row, sources=arguments.values)


@BUILTINS.named("range")
def _range(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    return Value(Kind.LIST, graph=Graph.NO, node=call, elem=number(call))


@BUILTINS.named("next")
def _next(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first, *rest = arguments.positional
    return join(element(first, call), rest[0]) if rest else element(first, call)


@BUILTINS.named("sum", "min", "max")
def _reduce(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first = arguments.positional[0]
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


@BUILTINS.named("abs", "round", "pow")
def _arithmetic(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    return operate(call, arguments.positional[0])


@BUILTINS.named("map")
def _map(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    mapped = arguments.positional[0].definition
    callee = flow.callee(mapped) if isinstance(mapped, Function) else None
    if callee is not None and any(event.what is Happens.CLEAR for event in callee.events.values()):
        flow.happen(Happens.CLEAR, call)
    return flow.opaque(call, arguments)


@BUILTINS.named("setattr")
def _setattr(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    if _attribute(call) == "grad":
        flow.happen(Happens.CLEAR, call)
    return other(call)


@BUILTINS.named("getattr")
def _getattr(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    if _attribute(call) == "zero_grad":
        arguments.positional[0].uses |= {HANDED_ON}
    return flow.opaque(call, arguments)


def _attribute(call: cst.Call) -> object:
    """The attribute's name in `setattr(p, "grad", …)`."""
    named = call.args[1].value if len(call.args) > 1 else None
    return spelled_out(named.value) if isinstance(named, cst.SimpleString) else None


@BUILTINS.named(*"print isinstance hasattr open callable vars dir any all exit delattr slice".split())
def _without_value(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    return other(call)
