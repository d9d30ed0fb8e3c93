"""Where a value goes: what is computed from it, and whether code out of sight may get hold of it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Value


def consumers(file: FileAnalysis, value: Value) -> list[Value]:
    """The values that are computed from this one directly: in the function that makes it, in document order, then in those it is given to.

    A name that holds it on one of several ways is no value of its own: what is computed from the name is computed from it.
    """
    flow = _home(file, value)
    return _consumers(flow, value, frozenset()) if flow is not None else []


def _consumers(flow: Flow, value: Value, above: frozenset[Flow]) -> list[Value]:
    may_be: dict[int, bool] = {id(value): True}

    def holds(source: Value) -> bool:
        """Whether a value is the one that is looked for, or stands for one of several of which it is one."""
        known = may_be.get(id(source))
        if known is None:
            may_be[id(source)] = False  # a loop leads back to it
            known = may_be[id(source)] = source.is_joined and any(holds(each) for each in source.sources)
        return known

    found = {
        id(each): each
        for each in flow.values.values()
        if not each.is_joined and any(holds(source) for source in (*each.sources, *(each.items or ()))) and each is not value
    }
    order = flow.file.tree.order
    done = sorted(found.values(), key=lambda each: order.get(each.node, -1) if each.node is not None else -1)
    for callee, given in flow.followed.values():
        if callee is not flow and callee not in above:
            for parameter in callee.parameters.values():
                argument = given.get(id(parameter))
                if argument is not None and holds(argument):
                    done += _consumers(callee, parameter, above | {flow})
    return done


def escapes(file: FileAnalysis, value: Value) -> bool:
    """Whether the value, or a container that holds it, is returned, kept on an object, captured, or handed to an unknown call.

    What is merely computed from it does not count: a number read off a tensor lets nobody have the tensor.
    """
    flow = _home(file, value)
    if flow is None or isinstance(flow.node, cst.Module):
        return True  # any other file may import it
    return any(each is value for reached in _leaving(flow) for each in _held(reached))


def _home(file: FileAnalysis, value: Value) -> Flow | None:
    node = value.node
    return file.flow(file.function(node)) if node is not None and node in file.tree.order else None


def _leaving(flow: Flow) -> Iterator[Value]:
    if flow.returns is not None:
        yield flow.returns
    for event in flow.events.values():
        if event.what is Happens.OPAQUE:
            yield from event.values
    for place, value in flow.env.places.items():
        if "." in place:
            yield value
    captured = {
        name
        for name, nodes in flow.file.tree.names.items()
        if name in flow.env.places and any(flow.file.function(each) is not flow.node for each in flow.file.tree.within(nodes, flow.node))
    }
    yield from (flow.env.places[name] for name in captured)


def _held(value: Value) -> Iterator[Value]:
    """The value itself and, of containers, what is in them."""
    stack, seen = [value], set[int]()
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        stack += [*(each.items or ()), *((each.elem,) if each.elem is not None else ())]
        if each.kind in (Kind.UNKNOWN, Kind.LIST, Kind.DICT, Kind.TUPLE, Kind.OBJECT):
            stack += each.sources
