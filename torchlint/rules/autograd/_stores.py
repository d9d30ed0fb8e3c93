"""Values put into containers that outlive the iteration: appended, set under a key of their own, or collected by a comprehension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import JOINING
from torchlint.model.dataflow import ways
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd import _consumers as consumers
from torchlint.rules.autograd._escape import is_local, root
from torchlint.rules.autograd._lifetimes import mentions, outlived_loop, rebinds, same
from torchlint.rules.autograd._retention import Kept, carries
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Graph, Kind, Place, Value

STORING = ("append", "appendleft", "add", "insert", "extend")
_PARTS = frozenset("parameters named_parameters modules named_modules children named_children".split())
"""What goes over the parts of a model, of which there are so many and no more."""
_PLAIN = (cst.SimpleString, cst.FormattedString, cst.Integer, cst.Float)


@dataclass
class Store(Kept):
    """A value put into a container."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.target) or Value()

    @property
    def iterates_over_data(self) -> bool:
        """Whether the iterations are those of a loop, or of a comprehension over batches: not over the parts of a model."""
        run = self.loop.iter if isinstance(self.loop, cst.For) else None
        return run is None or not any(any(self.file.attributes_inside(run, each)) for each in _PARTS)

    @property
    def is_carried(self) -> bool:
        """Whether the next iteration computes with the value anyway, a recurrent state: its graph goes on, stored or not."""
        name = self.value
        if not isinstance(name, cst.Name):
            return False
        bound = [self.file.statement(each) for each in self.file.tree.within(self.file.names.bound(name), self.loop)]
        return bool(bound) and all(self._goes_on(each, name) for each in bound)

    def _goes_on(self, statement: Node, name: cst.Name) -> bool:
        """`state = cell(x, state)`"""
        assign = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        if not isinstance(assign, cst.Assign) or not isinstance(assign.value, cst.Call):
            return False
        is_cut = any(any(self.file.attributes_inside(assign.value, each)) for each in ("detach", "data"))
        return not is_cut and any(mentions(arg.value, name) for arg in assign.value.args)

    @property
    def is_on_host(self) -> bool:
        """Whether it is a copy on the host, in a loop whose backward frees what it was computed from: next to nothing stays."""
        call = self.value
        moved = isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in ("to", "cpu")
        return moved and self.kept.place is Place.CPU and any(self.file.attributes_inside(self.loop, "backward"))

    @property
    def keeps_tensors(self) -> bool:
        """Whether the container holds on to a tensor, rather than copy a number out of it.

        Of a thing about which nothing is known, `append` speaks of a list; `add` may be a meter's, and what is imported may be a module.
        """
        if any(way.kind is Kind.NDARRAY for each in self.kept.sources for way in ways(each)):
            return False  # computed with arrays of NumPy: an array, as likely as not
        if self.into.kind is Kind.UNKNOWN:
            adds = isinstance(self.node, cst.Call) and isinstance(self.node.func, cst.Attribute) and self.node.func.attr.value == "add"
            return not adds and self.file.qualname(self.target) is None
        if self.into.is_tensor:
            return self.is_recorded and not (isinstance(self.target, cst.Attribute) and self.target.attr.value == "data")
        return self.into.kind in (Kind.LIST, Kind.DICT)

    @property
    def is_converted(self) -> bool:
        """Whether entries of the container are replaced by what has no graph: `losses[-1] = losses[-1].item()`."""
        return any(
            isinstance(target.target, cst.Subscript)
            and same(target.target.value, self.target)
            and mentions(assign.value, self.target)
            and (self.flow.values.get(assign.value) or Value()).graph is Graph.NO
            for assign in self.file.inside(self.flow.node, cst.Assign)
            for target in assign.targets
        )

    @property
    def is_secondhand(self) -> bool:
        """Whether its graph is that of a running total, which is a finding of its own: `history.append(total / n)`."""
        value = self.kept
        while value.pure and len(value.carriers) == 1:
            value = value.carriers[0]
        return value.is_joined and not value.differentiated and any(each.kind is Kind.NUMBER for each in value.sources)

    @property
    def is_inspected(self) -> bool:
        """Whether somebody asks the value for what only a tensor with its graph can say: its own gradient, a hook."""
        return any(
            isinstance(each.value, cst.Name) and isinstance(self.value, cst.Name) and each.value.value == self.value.value
            for name in ("retain_grad", "register_hook")
            for each in self.file.tree.attributes.get(name, ())
            if self.file.is_inside(each, self.flow.node)
        )

    @cached_property
    def takes_numbers(self) -> bool:
        """Whether every use of the container is seen, and would do just as well with plain numbers."""
        name = root(self.target)
        return (
            name is not None
            and not self.into.is_tensor
            and not isinstance(self.flow.node, cst.Module)
            and is_local(self.file, name)
            and not consumers.mentions_half(self.file)
            and consumers.take_numbers(self.file, name)
        )

    @cached_property
    def keeps_meaning(self) -> bool:
        """Whether a detached tensor serves everybody whom the stored one served, as far as the function shows."""
        chained = isinstance(self.node, cst.Assign) and len(self.node.targets) > 1
        return not chained and not consumers.read_graphs(self.file, self.flow.node)


@dataclass
class Collection(Store):
    """`[f(x) for x in loader]`: the loop is the comprehension, the container what it is assigned to."""

    is_windowed = is_bounded = False

    @property
    def iterates_over_data(self) -> bool:
        """Whether it runs over batches, not over the parts of a model."""
        clause = self.loop.for_in  # type: ignore[attr-defined]
        names = [each for each in descendants(clause.target) if isinstance(each, cst.Name)]
        return any(value is not None and value.batch for value in (self.flow.values.get(name) for name in names))

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.loop) or Value()

    @property
    def is_awaited(self) -> bool:
        """Also where what is collected comes out again, one by one, and the function returns what is computed from it."""
        returned = {id(each) for each in self.flow.returns.trained()} if self.flow.returns is not None else set()
        return super().is_awaited or any(id(each) in returned for each in self.kept.held())


def stores(file: FileAnalysis) -> Iterator[Store]:
    """What puts a value with a graph into a container that outlives the iteration."""
    for call in file.methods(*STORING):
        func = call.func
        if call.args and isinstance(func, cst.Attribute) and not any(arg.keyword is not None or arg.star for arg in call.args):
            yield from _store(file, call, func.value, call.args[-1].value)
    for assign in file.nodes(cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Subscript):
            yield from (store for store in _store(file, assign, target.value, assign.value) if _has_own_key(file, target, store.loop))
        elif isinstance(target, cst.Name):
            yield from _assigned(file, assign, target)
    for update in file.nodes(cst.AugAssign):
        if isinstance(update.operator, cst.AddAssign) and isinstance(update.value, (cst.List, cst.Tuple)):
            yield from _store(file, update, update.target, update.value)


def _assigned(file: FileAnalysis, assign: cst.Assign, target: cst.Name) -> Iterator[Store]:
    value = assign.value
    if isinstance(value, (cst.ListComp, cst.SetComp)):
        if carries(file, value.elt):
            yield Collection(file, assign, target, value.elt, value)
    elif isinstance(value, cst.Call) and value.args and file.qualname(value.func) in JOINING:
        parts = value.args[0].value
        if isinstance(parts, (cst.Tuple, cst.List)) and sum(same(each.value, target) for each in parts.elements) == 1:
            for part in parts.elements:
                if not same(part.value, target):
                    yield from _store(file, assign, target, part.value)
    elif (
        isinstance(value, cst.BinaryOperation)
        and isinstance(value.operator, cst.Add)
        and isinstance(value.right, cst.List)
        and same(value.left, target)
    ):
        yield from _store(file, assign, target, value.right)


def _has_own_key(file: FileAnalysis, target: cst.Subscript, loop: Node) -> bool:
    """Whether every iteration writes under another key, rather than over what the last one left."""
    names = [each for index in target.slice for each in descendants(index) if isinstance(each, cst.Name)]
    return any(
        rebinds(file, loop, name) or any(_is_counted(file, use) and file.is_inside(use, loop) for use in file.references(name))
        for name in names
    )


def _is_counted(file: FileAnalysis, use: Node) -> bool:
    update = file.parent(use)
    return isinstance(update, cst.AugAssign) and update.target is use


def _store(file: FileAnalysis, node: Node, target: cst.BaseExpression, value: cst.BaseExpression) -> Iterator[Store]:
    parts = [part for part in _parts(value) if not isinstance(part, _PLAIN) and carries(file, part)]
    loop = outlived_loop(file, node, target) if parts else None
    if loop is not None:
        yield from (Store(file, node, target, part, loop) for part in parts)


def _parts(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a display holds, one by one; anything else is itself."""
    if isinstance(value, (cst.Tuple, cst.List)):
        for element in value.elements:
            yield from _parts(element.value)
    elif isinstance(value, cst.Dict):
        for entry in value.elements:
            if isinstance(entry, cst.DictElement):
                yield from _parts(entry.value)
    else:
        yield value
