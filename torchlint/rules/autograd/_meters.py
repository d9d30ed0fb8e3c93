"""Meters, trackers and logs of the project: methods that add what they are given to the object, or store it there.

The mistake is made where such a method is called with a tensor that has a graph, so that is where it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd._lifetimes import outlived_loop, same
from torchlint.rules.autograd._retention import Kept, Related
from torchlint.rules.autograd._stores import STORING
from torchlint.rules.autograd._totals import added
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Function, Graph, Kind, Value

_FAR = 50


@dataclass
class Growth:
    """A statement of a method that lets the object grow by one of the parameters."""

    parameter: str
    target: cst.BaseExpression
    sums: bool
    """It is added to a total; otherwise it is put into a container."""


@dataclass
class Handed(Kept):
    """An argument of a method that keeps it on the object."""

    method: Function
    growth: Growth

    adds_tensors = keeps_tensors = iterates_over_data = keeps_meaning = True
    is_inspected = is_converted = is_secondhand = takes_numbers = is_fed_back = False
    escapes = True
    """The object is anybody's: what it keeps may be differentiated by whoever holds it."""

    @property
    def carrier(self) -> cst.BaseExpression:
        return self.value

    @property
    def through(self) -> str:
        name = self.method.node.name.value if isinstance(self.method.node, cst.FunctionDef) else ""
        verb = "adds to" if self.growth.sums else "stores in"
        return f": `{name}` {verb} `{self.method.file.source(self.growth.target)}`"

    @property
    def second(self) -> Related | None:
        said = "kept here"
        return (self.growth.target, said) if self.method.file is self.file else (self.growth.target, said, self.method.file)

    @property
    def is_differentiated(self) -> bool:
        attribute = self.growth.target
        while isinstance(attribute, (cst.Subscript, cst.Call)):
            attribute = attribute.value if isinstance(attribute, cst.Subscript) else attribute.func
        receiver = self.flow.values.get(self.target)
        if receiver is None or receiver.cls is None or not isinstance(attribute, cst.Attribute):
            return False
        held = receiver.cls.attribute(attribute.attr.value)
        return held is not None and bool(held.differentiated)

    @cached_property
    def into(self) -> Value:
        return Value(Kind.OBJECT, graph=Graph.NO)


def handed(file: FileAnalysis, *, sums: bool) -> Iterator[Handed]:
    """The arguments that methods of the project's own objects keep, iteration after iteration."""
    read: dict[Node, list[Growth]] = {}
    for call in file.nodes(cst.Call):
        func = call.func
        if not isinstance(func, cst.Attribute) or not call.args or next(file.tree.loops(call), None) is None:
            continue
        receiver = file.value(func.value)
        if receiver.cls is None or receiver.kind is not Kind.OBJECT or not file.handles_graphs(file.function(call)):
            continue
        method = receiver.cls.method(func.attr.value)
        if method is None or not isinstance(method.node, cst.FunctionDef) or not isinstance(method.file, FileAnalysis):
            continue
        if method.node not in read:
            read[method.node] = list(_growths(method.file, method.node))
        kept = {growth.parameter: growth for growth in reversed(read[method.node]) if growth.sums is sums}
        for growth in kept.values():
            given = _argument(call, method.node, growth.parameter)
            loop = outlived_loop(file, call, func.value) if given is not None else None
            if given is not None and loop is not None:
                yield Handed(file, call, func.value, given, loop, method, growth)


def _argument(call: cst.Call, method: cst.FunctionDef, name: str) -> cst.BaseExpression | None:
    names = [each.name.value for each in (*method.params.posonly_params, *method.params.params)][1:]
    for position, arg in enumerate(call.args):
        if arg.star:
            return None
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
        if arg.keyword is None and position < len(names) and names[position] == name:
            return arg.value
    return None


def _growths(file: FileAnalysis, method: cst.FunctionDef) -> Iterator[Growth]:
    """What the method adds to, or stores in, attributes of its object."""
    flow = file.flow_or_none(method)
    first = next(iter(flow.parameters), None) if flow is not None else None
    if flow is None or first is None:
        return
    for node in descendants(method.body):
        target, value, sums = _kept(node)
        if target is None or value is None or not _is_on(target, first):
            continue
        if any(isinstance(each, (cst.For, cst.While)) for each in file.ancestors(node) if file.is_inside(each, method)):
            continue
        for name in list(flow.parameters)[1:]:
            if _arrives(flow.values.get(value), flow.parameters[name]):
                yield Growth(name, target, sums)


def _kept(node: Node) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None, bool]:
    if isinstance(node, cst.AugAssign) and isinstance(node.operator, (cst.AddAssign, cst.SubtractAssign)):
        return node.target, node.value, True
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        return node.targets[0].target, added(node.value, node.targets[0].target), True
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in STORING and len(node.args) == 1:
        return node.func.value, node.args[0].value, False
    return None, None, False


def _is_on(target: Node, first: str) -> bool:
    while isinstance(target, (cst.Subscript, cst.Attribute)):
        target = target.value
    return same(target, cst.Name(first))


def _arrives(value: Value | None, parameter: Value) -> bool:
    """Whether the parameter itself, or something computed from it and nothing else, is what is kept, whatever branch was taken."""
    for _ in range(_FAR):
        if value is None or value is parameter:
            break
        if value.kind in (Kind.TUPLE, Kind.DICT):
            return any(_arrives(part, parameter) for part in value.parts if part.kind not in (Kind.TUPLE, Kind.DICT))
        if value.kind not in (Kind.UNKNOWN, Kind.TENSOR) or value.graph is Graph.NO or not value.pure:
            return False
        carriers = [each for each in value.sources if each.kind in (Kind.UNKNOWN, Kind.TENSOR) and each.graph is not Graph.NO]
        value = next((each for each in carriers if each is parameter or each.pure), None)
    return value is parameter and parameter.kind in (Kind.UNKNOWN, Kind.TENSOR) and parameter.graph is not Graph.NO
