"""Where a call leads: to a name that is imported, to a method of a value, or to whatever value is called."""

from __future__ import annotations

import libcst as cst

from torchlint.values import changes, methods
from torchlint.values.arguments import Arguments
from torchlint.values.flow import Flow, calls, evaluates
from torchlint.values.library.builtins import call_builtin
from torchlint.values.library.functions import call_imported
from torchlint.values.namesakes import is_loss
from torchlint.values.references import imported
from torchlint.values.value import Graph, Kind, Value


@evaluates(cst.Call)
def evaluate(flow: Flow, call: cst.Call) -> Value:
    """The value of a call; its events are noted on the way."""
    path = flow.file.qualname(call.func)
    if path is not None:
        arguments = _arguments(flow, call)
        target = imported(flow.file, path, call.func)
        flow.values[call.func] = target
        if target.definition is not None:
            return flow.call(call, target, arguments)
        changes.by_function(flow, call, path, arguments)
        return call_imported(flow, call, path, arguments)
    if isinstance(call.func, cst.Attribute):
        receiver, arguments = flow.evaluate(call.func.value), _arguments(flow, call)
        changes.by_method(flow, call, call.func.attr.value, receiver)
        result = methods.evaluate(flow, call, call.func, receiver, arguments)
        changes.by_module(flow, call, flow.values.get(call.func), arguments)
        return result
    target, arguments = flow.evaluate(call.func), _arguments(flow, call)
    changes.by_module(flow, call, target, arguments)
    return flow.call(call, target, arguments)


def _arguments(flow: Flow, call: cst.Call) -> Arguments:
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    spread: list[Value] = []
    for arg in call.args:
        value = flow.evaluate(arg.value)
        if arg.star:
            if not keywords and not spread and arg.star == "*" and value.items:
                positional += value.items
            else:
                spread.append(value)
        elif arg.keyword is not None:
            keywords[arg.keyword.value] = value
        else:
            positional.append(value)
    return Arguments(call, positional, keywords, tuple(spread))


@calls(Kind.UNKNOWN)
def _unknown(flow: Flow, call: cst.Call, target: Value, arguments: Arguments) -> Value:
    """Calling what is no function, class or module of the project: a builtin, a method that was given a name, or anything."""
    if target.qualname is not None and target.qualname.startswith("builtins."):
        return call_builtin(flow, call, target.qualname[9:], arguments)
    if isinstance(target.node, cst.Attribute) and target.kind is Kind.UNKNOWN and target.qualname is None and len(target.sources) == 1:
        return methods.evaluate(flow, call, target.node, target.sources[0], arguments)  # `clear = optimizer.zero_grad`
    result = flow.opaque(call, arguments)
    if any(each.has_graph for each in arguments.values) and isinstance(target.node, cst.Param) and is_loss(flow.file, call):
        result.kind, result.graph, result.scalar = Kind.TENSOR, Graph.YES, True
    return result
