"""What is kept from one iteration to the next: running totals, and values put into containers.

Answers where the thing kept outlives the iteration, what is kept, whether it has already been differentiated, and whether the
total or the container is itself meant for backward. Judging that is left to the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import CASTS, REDUCTIONS, VIEWS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd import _consumers as consumers
from torchlint.rules.autograd import _presence as presence
from torchlint.rules.autograd._escape import escapes, is_local, root
from torchlint.rules.autograd._lifetimes import mentions, outlived_loop, rebinds, same
from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Graph, Kind, Value

_PASSING = frozenset("to cpu cuda reduce gather gather_for_metrics".split())
STORING = ("append", "appendleft", "add", "insert", "extend")


Related = tuple[cst.CSTNode, str] | tuple[cst.CSTNode, str, SourceFile]


@dataclass
class Kept:
    """A value that goes into something that lives on."""

    file: FileAnalysis
    node: Node
    """The statement or call that keeps it."""
    target: cst.BaseExpression
    """The total or the container."""
    value: cst.BaseExpression
    """What is added or stored."""
    loop: Node
    """The loop whose iterations it outlives, or the function that is called again and again."""

    @property
    def through(self) -> str:
        """How it gets there, where the statement does not show it."""
        return ""

    @property
    def second(self) -> Related | None:
        """The place where it is kept, where that is another one."""
        return None

    @cached_property
    def flow(self) -> Flow:
        return self.file.flow(self.file.function(self.node))

    @cached_property
    def kept(self) -> Value:
        """What is known of the value."""
        return self.flow.values.get(self.value) or Value(node=self.value)

    @cached_property
    def into(self) -> Value:
        """What is known of the total after the addition, or of the container."""
        return Value()

    @property
    def may_be_nothing(self) -> bool:
        """Whether what is kept may be no tensor now and then: None, or the plain 0 that an empty sum is."""
        return self.kept.optional and not (isinstance(self.value, cst.Name) and presence.is_present(self.file, self.value))

    @property
    def is_doubtful(self) -> bool:
        """Whether it is a part of what some model returned, and nothing shows that this part is what carries the graph.

        `loss, accuracy = model(x, y)`: what is computed with further, or goes backward, is a tensor with a graph; the rest may be anything.
        """
        value = self.kept
        while not value.part and value.pure and isinstance(value.node, (cst.Call, cst.BinaryOperation)):
            carriers = [each for each in value.sources if each.kind is not Kind.NUMBER]
            if len(carriers) != 1 or isinstance(value.node, cst.Call) and not _passes_on(value.node):
                return False
            value = carriers[0]
        return value.part and not value.differentiated

    @cached_property
    def backwards(self) -> list[Node]:
        """The backward calls that run through the value in the same iteration and leave nothing to differentiate again."""
        carrying = (value for value in self.kept.trained() if value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN))
        return [call for value in carrying for call in value.differentiated if self._frees(call)]

    @property
    def is_spent(self) -> bool:
        """Whether backward has run through the value, whatever branches the iteration took: its graph can serve nobody any more."""
        return any(self._is_certain(call) for call in self.backwards)

    def _frees(self, call: Node) -> bool:
        if call not in self.file.tree.order or not self.file.is_inside(call, self.loop):
            return False
        retained = (
            [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value in ("retain_graph", "create_graph")]
            if isinstance(call, cst.Call)
            else []
        )
        return all(isinstance(each, cst.Name) and each.value == "False" for each in retained)

    def _is_certain(self, call: Node) -> bool:
        """Whether backward ran wherever the value is kept: in both branches, or in the branch that keeps it."""
        inner: Node = call
        for around in self.file.ancestors(call):
            if around is self.loop:
                return True
            if isinstance(around, cst.If) and not self.file.is_inside(self.node, inner):
                other = around.orelse if inner is around.body else around.body
                if other is None or inner is around.test or not any(self.file.is_inside(each, other) for each in self.backwards):
                    return False
            inner = around
        return True

    @property
    def is_windowed(self) -> bool:
        """Whether some iterations start it afresh: what is kept is bounded."""
        return rebinds(self.file, self.loop, self.target)

    @property
    def is_differentiated(self) -> bool:
        """Whether backward runs from the total or container, or from something computed from it."""
        before = self.flow.values.get(self.target)
        return bool(self.into.differentiated) or before is not None and before is not self.kept and bool(before.differentiated)

    @property
    def is_recorded(self) -> bool:
        """Whether gradients are recorded where it is kept: a sum made without them has no graph."""
        if not self.backwards and any(
            arg.keyword is not None and arg.keyword.value == "volatile" and self.file.is_inside(arg, self.flow.node)
            for arg in self.file.nodes(cst.Arg)
        ):
            return False  # what torch before 0.4 had for no_grad
        return callers.records(self.file, self.node) is not False

    @cached_property
    def escapes(self) -> bool:
        """Whether code that is not seen may get hold of the total or container."""
        return escapes(self.file, self.flow, self.target, self.into)

    @property
    def is_measured(self) -> bool:
        """Whether it is kept while a model is evaluated, batch by batch: what comes of that is looked at, not trained on."""
        flow, file = self.flow, self.file
        switched = [each.site for each in flow.events.values() if each.what is Happens.EVAL and each.site in file.tree.order]
        measured = any(
            isinstance(self.loop, cst.For) and file.is_after(self.loop, site) and file.function(site) is flow.node for site in switched
        )
        return measured and any(each.batch or each.kind is Kind.LOADER for each in self.kept.lineage())


def _passes_on(call: cst.Call) -> bool:
    """`correct.sum()`, `kept.cpu()`: as good for whole numbers as for the output of a network."""
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    return name in _PASSING or name in REDUCTIONS or name in CASTS or name in VIEWS


@dataclass
class Accumulation(Kept):
    """`target += value`, or an assignment that adds to what the target held."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.node) or self.flow.values.get(self.target) or Value()

    @property
    def adds_tensors(self) -> bool:
        """Whether adding to it is what tensors and numbers do, and not a method of the project's own."""
        before = self.flow.values.get(self.target)
        return before is None or before.cls is None

    @cached_property
    def carrier(self) -> cst.BaseExpression:
        """The part of what is added that brings the graph: in a moving average the value without its weight."""
        node = self.value
        while (
            isinstance(self.node, cst.Assign)
            and isinstance(node, cst.BinaryOperation)
            and isinstance(node.operator, (cst.Multiply, cst.Divide))
        ):
            carrying = [side for side in (node.left, node.right) if side in self.flow.values and self.flow.values[side].has_graph]
            if len(carrying) != 1:
                break
            node = carrying[0]
        return node


@dataclass
class Store(Kept):
    """A value put into a container."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.target) or Value()

    @property
    def iterates_over_data(self) -> bool:
        """Whether the iterations are those of a loop, or of a comprehension over batches: not over the parts of a model."""
        return True

    @property
    def keeps_tensors(self) -> bool:
        """Whether the container holds on to a tensor, rather than copy a number out of it.

        Of a thing about which nothing is known, `append` speaks of a list; `add` may be a meter's, and what is imported may be a module.
        """
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
            for assign in self.file.nodes(cst.Assign)
            for target in assign.targets
        )

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

    is_windowed = False

    @property
    def iterates_over_data(self) -> bool:
        """Whether it runs over batches, not over the parts of a model."""
        clause = self.loop.for_in  # type: ignore[attr-defined]
        names = [each for each in descendants(clause.target) if isinstance(each, cst.Name)]
        return any(value is not None and value.batch for value in (self.flow.values.get(name) for name in names))

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.loop) or Value()


# -- totals --------------------------------------------------------------------------------------------------------------


def accumulations(file: FileAnalysis) -> Iterator[Accumulation]:
    for update in file.nodes(cst.AugAssign):
        if isinstance(update.operator, (cst.AddAssign, cst.SubtractAssign)) and not isinstance(
            update.value, (cst.Integer, cst.Float, cst.List, cst.SimpleString, cst.FormattedString)
        ):
            loop = outlived_loop(file, update, update.target) if file.handles_graphs(file.function(update)) else None
            if loop is not None:
                yield Accumulation(file, update, update.target, update.value, loop)
    for assign in file.nodes(cst.Assign):
        target = assign.targets[0].target
        if (
            len(assign.targets) != 1
            or not isinstance(assign.value, cst.BinaryOperation)
            or not isinstance(target, (cst.Name, cst.Attribute, cst.Subscript))
        ):
            continue
        value = added(assign.value, target)
        if value is None:
            continue
        loop = outlived_loop(file, assign, target) if file.handles_graphs(file.function(assign)) else None
        if loop is not None:
            yield Accumulation(file, assign, target, value, loop)


def added(node: cst.BaseExpression, target: Node) -> cst.BaseExpression | None:
    """In `total + x` or `0.9 * total + 0.1 * x`: what is added."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, (cst.Add, cst.Subtract)):
        return None
    left, right = mentions(node.left, target), mentions(node.right, target)
    if left == right:
        return None
    added = node.right if left else node.left
    carried = node.left if left else node.right
    if not _is_carried(carried, target):
        return None
    return added


def _is_carried(node: Node, target: Node) -> bool:
    """`total`, `0.9 * total`, or a sum that holds one of them: no call in between that could end the graph."""
    if isinstance(node, cst.BinaryOperation):
        return _is_carried(node.left, target) or _is_carried(node.right, target)
    return same(node, target) or isinstance(node, cst.Subscript) and isinstance(target, cst.Subscript) and node.deep_equals(target)


# -- containers ----------------------------------------------------------------------------------------------------------


def stores(file: FileAnalysis) -> Iterator[Store]:
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
    if isinstance(value, (cst.ListComp, cst.SetComp)) and file.handles_graphs(file.function(assign)):
        yield Collection(file, assign, target, value.elt, value)
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
    parts = [part for part in _parts(value) if not isinstance(part, (cst.SimpleString, cst.FormattedString, cst.Integer, cst.Float))]
    if parts and not file.handles_graphs(file.function(node)):
        return
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
