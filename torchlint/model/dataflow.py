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
    return file.once(_Consumers).of(value, flow, frozenset()) if flow is not None else []


class _Consumers:
    """For each function that was asked about: what is computed from each of its values, by the identity of the latter."""

    def __init__(self, file: FileAnalysis) -> None:
        self._known: dict[Flow, dict[int, list[Value]]] = {}

    def of(self, value: Value, flow: Flow, above: frozenset[Flow]) -> list[Value]:
        if flow not in self._known:
            self._known[flow] = _read(flow)
        found = list(self._known[flow].get(id(value), ()))
        for callee, given in flow.followed.values():
            if callee is flow or callee in above:
                continue
            for parameter in callee.parameters.values():
                argument = given.get(id(parameter))
                if argument is not None and any(each is value for each in ways(argument)):
                    found += self.of(parameter, callee, above | {flow})
        return found


def _read(flow: Flow) -> dict[int, list[Value]]:
    found: dict[int, list[Value]] = {}
    order = flow.file.tree.order
    every = {id(each): each for each in flow.values.values() if not each.is_joined}
    for each in sorted(every.values(), key=lambda each: order.get(each.node, -1) if each.node is not None else -1):
        parts = {id(way): way for part in (*each.sources, *(each.items or ())) for way in ways(part)}
        for source in parts.values():
            if source is not each:
                found.setdefault(id(source), []).append(each)
    return found


def ways(value: Value) -> Iterator[Value]:
    """The value and, of one that stands for one of several, those."""
    stack, seen = [value], set[int]()
    while stack:
        each = stack.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            stack += each.sources if each.is_joined else ()


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
